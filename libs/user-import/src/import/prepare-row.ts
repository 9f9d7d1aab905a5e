import { noPassword } from '#libs/security/passwords';
import { uuidV7 } from '#libs/platform/crypto';
import { AppError, type ErrorCode } from '#libs/platform/errors';
import { toValidationError } from '#libs/platform/http';
import { assertNotReserved, type BulkUser, type ProfileSchemas, toEmailKey, toUserName } from '#libs/users';

import { type ImportOptions, refused, type RowResult } from './import-run.js';
import type { ImportRow, ImportRowSchema } from './import.schema.js';

export type Bytes = AsyncIterable<Uint8Array>;

/** A row as it was read, counted from 1, or why it could not be read. */
export type SourceRow =
  | { readonly row: number; readonly value: unknown }
  | { readonly row: number; readonly fault: ErrorCode; readonly message: string };

/** Rows come several at a time: a promise for each would cost more than reading it. */
export type SourceRows = AsyncIterable<readonly SourceRow[]>;

/**
 * More than the longest row that could be taken: 16 KB of `profile` and `metadata`, whose quotes
 * CSV doubles, and some KB of the rest.
 */
export const maxRowBytes = 65_536;

/**
 * A row that may be written, and which members it had. `hasEmail` is also true for an address that
 * is to be cleared.
 */
export type PreparedRow = {
  readonly row: number;
  readonly user: BulkUser;
  readonly hasId: boolean;
  readonly hasSubject: boolean;
  readonly hasEmail: boolean;
};

/** What a row may contain. */
export type RowRules = Pick<ImportOptions, 'grantable' | 'reservedNames'> & {
  readonly schema: ImportRowSchema;
  readonly profiles: ProfileSchemas;
};

/**
 * Checks a row as the users service would, but for what the database must be asked about. Without
 * an id of its own it gets one with the time of the import.
 */
export function prepareRow(source: SourceRow, rules: RowRules): PreparedRow | RowResult {
  const { row } = source;
  const { schema, grantable } = rules;
  if ('fault' in source) {
    return refused(row, source.fault, [{ path: '', message: source.message, code: source.fault }]);
  }
  const parsed = schema.safeParse(source.value);
  if (!parsed.success) return refused(row, 'invalid-request', toValidationError(parsed.error.issues).options.errors);
  const withheld = grantable === 'any' ? undefined : parsed.data.roles?.find((role) => !grantable.includes(role));
  if (withheld !== undefined) {
    const message = `only an administrator may import users with the role ${withheld}`;
    return refused(row, 'forbidden', [{ path: 'roles', message, code: 'forbidden' }]);
  }
  try {
    const { id, subject, email } = parsed.data;
    const user = toUser(parsed.data, rules);
    return { row, user, hasId: hasText(id), hasSubject: hasText(subject), hasEmail: email !== undefined };
  } catch (error) {
    if (error instanceof AppError) return refused(row, error.code, error.options.errors);
    throw error;
  }
}

const hasText = (text: string | null | undefined): boolean => typeof text === 'string';

/** @throws AppError what is wrong with the user name, `profile` or `metadata` */
function toUser(
  { externalId = null, email = null, ...input }: ImportRow,
  { reservedNames, profiles }: RowRules,
): BulkUser {
  const { profile, metadata } = objectsOf(input, profiles);
  const name = toUserName(input.userName);
  if (reservedNames === 'refused') assertNotReserved(name);
  const { userName, key: userNameKey } = name;
  const id = input.id ?? uuidV7();
  return {
    id,
    subject: input.subject === id ? null : (input.subject ?? null),
    externalId,
    userName,
    userNameKey,
    firstName: input.firstName,
    lastName: input.lastName,
    email,
    emailKey: email === null ? null : toEmailKey(email),
    emailVerified: input.emailVerified ?? null,
    roles: input.roles ?? ['user'],
    status: input.status ?? 'active',
    passwordHash: input.passwordHash ?? noPassword,
    createdMs: input.createdAt ?? Date.now(),
    profile,
    metadata,
  };
}

/** Fast path: most rows have neither. @throws AppError `invalid-request`, `profile-too-large` */
function objectsOf(input: ImportRow, profiles: ProfileSchemas): Pick<BulkUser, 'profile' | 'metadata'> {
  const [profile, metadata] = [input.profile ?? undefined, input.metadata ?? undefined];
  if (!profile && !metadata) return { profile: none, metadata: none };
  profiles.assertFit({ profile, metadata });
  const objects = { profile: profile ?? none, metadata: metadata ?? none };
  profiles.assertSize(objects.profile, objects.metadata);
  return objects;
}

const none = {};
