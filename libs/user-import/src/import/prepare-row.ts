import { noPassword } from '#libs/security/passwords';
import { uuidV7 } from '#libs/platform/crypto';
import { AppError, type ErrorCode } from '#libs/platform/errors';
import { toValidationError } from '#libs/platform/http';
import { assertNotReserved, type BulkUser, toEmailKey, toUserName } from '#libs/users';

import { type ImportOptions, refused, type RowResult } from './import-run.js';
import type { ImportRow, ImportRowSchema } from './import.schema.js';

export type Bytes = AsyncIterable<Uint8Array>;

/** A row as it was read, counted from 1, or why it could not be read. */
export type SourceRow =
  | { readonly row: number; readonly value: unknown }
  | { readonly row: number; readonly fault: ErrorCode; readonly message: string };

/** Rows come several at a time: a promise for each would cost more than reading it. */
export type SourceRows = AsyncIterable<readonly SourceRow[]>;

/** Far more than the longest row that could be taken. */
export const maxRowBytes = 16_384;

/** A row that may be written. `hasEmail` is also true for an address that is to be cleared. */
export type PreparedRow = { readonly row: number; readonly user: BulkUser; readonly hasEmail: boolean };

/** What a row may contain. */
export type RowRules = Pick<ImportOptions, 'grantable' | 'reservedNames'> & { readonly schema: ImportRowSchema };

/** Checks a row as the users service would. The id has the time of the import. */
export function prepareRow(source: SourceRow, { schema, grantable, reservedNames }: RowRules): PreparedRow | RowResult {
  const { row } = source;
  if ('fault' in source) {
    return refused(row, source.fault, [{ path: '', message: source.message, code: source.fault }]);
  }
  const parsed = schema.safeParse(source.value);
  if (!parsed.success) return refused(row, 'invalid-request', toValidationError(parsed.error.issues).options.errors);
  const withheld = parsed.data.roles?.find((role) => !grantable.includes(role));
  if (withheld !== undefined) {
    const message = `only an administrator may import users with the role ${withheld}`;
    return refused(row, 'forbidden', [{ path: 'roles', message, code: 'forbidden' }]);
  }
  try {
    return { row, user: toUser(parsed.data, reservedNames), hasEmail: parsed.data.email !== undefined };
  } catch (error) {
    if (error instanceof AppError) return refused(row, error.code, error.options.errors);
    throw error;
  }
}

function toUser(
  { externalId = null, email = null, ...input }: ImportRow,
  reservedNames: RowRules['reservedNames'],
): BulkUser {
  const name = toUserName(input.userName);
  if (reservedNames === 'refused') assertNotReserved(name);
  const { userName, key: userNameKey } = name;
  return {
    id: uuidV7(),
    externalId,
    userName,
    userNameKey,
    firstName: input.firstName,
    lastName: input.lastName,
    email,
    emailKey: email === null ? null : toEmailKey(email),
    roles: input.roles ?? ['user'],
    status: input.status ?? 'active',
    passwordHash: input.passwordHash ?? noPassword,
    createdMs: input.createdAt ?? Date.now(),
  };
}
