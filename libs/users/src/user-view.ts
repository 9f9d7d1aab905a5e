import type { User } from './user.entity.js';
import type { UserRow } from './users.repository.js';
import type { UserView } from './users.schema.js';

/** A user as everybody may see it who may see it at all, with the version that makes its ETag. */
export type VersionedUser = { readonly user: UserView; readonly version: number };

export function viewOfRow(row: UserRow): UserView {
  return {
    id: row.id,
    userName: row.user_name,
    firstName: row.first_name,
    lastName: row.last_name,
    email: row.email,
    roles: [...row.roles],
    status: row.status,
    avatar: null,
    createdAt: new Date(row.created_ms).toISOString(),
    updatedAt: new Date(row.updated_ms).toISOString(),
  };
}

export function viewOfEntity(user: User): VersionedUser {
  const { id, userName, firstName, lastName, email, roles, status, createdAt, updatedAt, version } = user;
  return {
    version,
    user: {
      id,
      userName,
      firstName,
      lastName,
      email: email ?? null,
      roles: [...roles],
      status,
      avatar: null,
      createdAt: createdAt.toISOString(),
      updatedAt: updatedAt.toISOString(),
    },
  };
}
