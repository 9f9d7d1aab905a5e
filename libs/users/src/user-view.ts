import type { Role } from '#libs/platform/access';
import { toRfc3339 } from '#libs/platform/contract';

import type { User } from './user.entity.js';
import type { UserRow } from './user-row.js';
import type { UserView } from './users.schema.js';

/** A user as everybody may see it who may see it at all, with the version that makes its ETag. */
export type VersionedUser = { readonly user: UserView; readonly version: number };

/** Edges in pixels of the pictures that every avatar has. */
export const avatarSizes = [64, 256, 512] as const;

/** Where the picture of an avatar is, for any other size change the number; absolute, since browsers elsewhere show it. */
const avatarOf = (hash: string | null | undefined, publicUrl: string): UserView['avatar'] =>
  hash ? { url: `${publicUrl}/v1/avatars/${hash}-256.webp`, sizes: [...avatarSizes] } : null;

const isRole = (name: string): name is Role => name === 'user' || name === 'admin';

/** Nearly all have the one. */
const rolesOf = (text: string): Role[] => (text === 'user' ? ['user'] : text.split(' ').filter(isRole));

export function viewOfRow(row: UserRow, publicUrl: string): UserView {
  const createdAt = toRfc3339(row.created_ms);
  return {
    id: row.id,
    userName: row.user_name,
    firstName: row.first_name,
    lastName: row.last_name,
    email: row.email,
    roles: rolesOf(row.roles),
    status: row.status,
    avatar: avatarOf(row.avatar_hash, publicUrl),
    createdAt,
    updatedAt: row.updated_ms === null ? createdAt : toRfc3339(row.updated_ms),
  };
}

export function viewOfEntity(user: User, publicUrl: string): VersionedUser {
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
      avatar: avatarOf(user.avatarHash && Buffer.from(user.avatarHash).toString('hex'), publicUrl),
      createdAt: createdAt.toISOString(),
      updatedAt: updatedAt.toISOString(),
    },
  };
}
