import { epochMs } from '#libs/platform/database';

import type { JsonObject } from '../profile/json-object.js';

/** A user as the hot reads return it; times in Unix milliseconds. */
export type UserRow = {
  readonly id: string;
  readonly user_name: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly email: string | null;
  /** Null where it is the id. */
  readonly subject: string | null;
  /** Separated by spaces: the driver parses arrays letter by letter. */
  readonly roles: string;
  readonly status: 'active' | 'deactivated';
  /** Hexadecimal. */
  readonly avatar_hash: string | null;
  /** Null for the empty object, which most users have: the driver gets no value to parse. */
  readonly profile: JsonObject | null;
  readonly metadata: JsonObject | null;
  readonly email_verified: boolean;
  readonly pending_email: string | null;
  readonly version: number;
  readonly created_ms: number;
  /** Null when never changed, which spares the driver a value for most users. */
  readonly updated_ms: number | null;
};

/** The columns of a `UserTuple`, in its order. */
export const userColumns = `id, user_name, first_name, last_name, email, array_to_string(roles, ' ') as roles, status,
  encode(avatar_hash, 'hex') as avatar_hash, subject, nullif(profile, '{}') as profile,
  nullif(metadata, '{}') as metadata, email_verified, pending_email, version,
  ${epochMs('created_at')} as created_ms,
  case when updated_at <> created_at then ${epochMs('updated_at')} end as updated_ms`;
export type UserTuple = readonly [
  id: string,
  userName: string,
  firstName: string,
  lastName: string,
  email: string | null,
  roles: string,
  status: UserRow['status'],
  avatarHash: string | null,
  subject: string | null,
  profile: JsonObject | null,
  metadata: JsonObject | null,
  emailVerified: boolean,
  pendingEmail: string | null,
  version: number,
  createdMs: number,
  updatedMs: number | null,
];

/** Hot path: all rows have one shape, so that code that reads them stays monomorphic. */
export function rowOf(tuple: UserTuple): UserRow {
  return {
    id: tuple[0],
    user_name: tuple[1],
    first_name: tuple[2],
    last_name: tuple[3],
    email: tuple[4],
    roles: tuple[5],
    status: tuple[6],
    avatar_hash: tuple[7],
    subject: tuple[8],
    profile: tuple[9],
    metadata: tuple[10],
    email_verified: tuple[11],
    pending_email: tuple[12],
    version: tuple[13],
    created_ms: tuple[14],
    updated_ms: tuple[15],
  };
}
