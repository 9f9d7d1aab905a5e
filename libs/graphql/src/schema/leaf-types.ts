import { registerEnumType } from '@nestjs/graphql';
import { GraphQLScalarType, valueFromASTUntyped } from 'graphql';

import { auditEvents } from '#libs/security/audit';
import { scopes } from '#libs/platform/access';
import type { sorts } from '#libs/users';

const identity = (value: unknown): unknown => value;

/** The views of REST have times as text, and the schemas of REST check the text of arguments. */
export const DateTime = new GraphQLScalarType({
  name: 'DateTime',
  description: 'A time as RFC 3339 has it, answered in UTC with milliseconds: `2026-11-21T09:30:00.000Z`.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339#section-5.6',
  serialize: identity,
  parseValue: identity,
});

export const Json = new GraphQLScalarType({
  name: 'JSON',
  description: 'Any JSON value.',
  serialize: identity,
  parseValue: identity,
  // graphql-js gives objects without a prototype
  parseLiteral: (node, variables) => structuredClone(valueFromASTUntyped(node, variables)),
});

/** What the names were when there were only two roles, as an enum: clients go on sending them. */
const formerNames: ReadonlyMap<unknown, string> = new Map([
  ['USER', 'user'],
  ['ADMIN', 'admin'],
]);
export const RoleName = new GraphQLScalarType({
  name: 'RoleName',
  description: 'The name of a role, as over REST: `order-clerk`. `USER` and `ADMIN` are taken for `user` and `admin`.',
  serialize: identity,
  parseValue: (value) => formerNames.get(value) ?? value,
});

/** Names values of the REST contract (`login-failed`) as GraphQL needs it (`LOGIN_FAILED`). */
const named = <Value extends string>(values: readonly Value[]): Record<string, Value> =>
  Object.fromEntries(values.map((value) => [value.replaceAll(/[^a-z0-9]/g, '_').toUpperCase(), value]));

export const Status = { ACTIVE: 'active', DEACTIVATED: 'deactivated' } as const;
export const Scope = named(scopes);
export const AuditEventName = named(auditEvents);
export const UserSort = {
  CREATED_AT: 'createdAt',
  CREATED_AT_DESC: '-createdAt',
  USER_NAME: 'userName',
  USER_NAME_DESC: '-userName',
} as const satisfies Record<string, (typeof sorts)[number]>;
export const CountHow = { EXACT: 'exact', ESTIMATED: 'estimated' } as const;
export const CountIs = { EXACT: 'exact', ESTIMATED: 'estimated', AT_LEAST: 'at-least' } as const;

registerEnumType(Status, { name: 'Status' });
registerEnumType(Scope, {
  name: 'Scope',
  description: 'What a service may do: `USERS_READ` is the scope `users:read`.',
});
registerEnumType(AuditEventName, { name: 'AuditEventName' });
registerEnumType(UserSort, { name: 'UserSort' });
registerEnumType(CountHow, {
  name: 'CountHow',
  description: 'How to count: exactly, up to 10,000, or as the database guesses.',
});
registerEnumType(CountIs, { name: 'CountIs', description: '`AT_LEAST`: counting ended at 10,000.' });
