import { epochMs } from '#libs/platform/database';

/** A user as the hot reads give it; times in Unix milliseconds. */
export type UserRow = {
  readonly id: string;
  readonly user_name: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly email: string | null;
  /** Apart by spaces: the driver reads an array letter by letter. */
  readonly roles: string;
  readonly status: 'active' | 'deactivated';
  /** Hexadecimal. */
  readonly avatar_hash: string | null;
  readonly version: number;
  readonly created_ms: number;
  /** Null if never changed, as most: the driver makes a text and a number of each. */
  readonly updated_ms: number | null;
};

/** Those of a `UserTuple`. */
export const userColumns = `id, user_name, first_name, last_name, email, array_to_string(roles, ' ') as roles, status,
  encode(avatar_hash, 'hex') as avatar_hash, version, ${epochMs('created_at')} as created_ms,
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
  version: number,
  createdMs: number,
  updatedMs: number | null,
];

/** All rows of one shape, whatever else their statements ask for: what reads them stays fast. */
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
    version: tuple[8],
    created_ms: tuple[9],
    updated_ms: tuple[10],
  };
}
