import type { FastifyReply } from 'fastify';

import type { Principal } from '#libs/platform/access';
import { toRfc3339 } from '#libs/platform/contract';
import { etagOf } from '#libs/platform/http';
import { pictureSizes } from '#libs/platform/pictures';

import type { User } from './user.entity.js';
import type { UserRow } from './user-row.sql.js';
import type { UserView } from './users.schema.js';

/** A user as the API shows it, with the version that makes its ETag. */
export type VersionedUser = { readonly user: UserView; readonly version: number };

/** An absolute URL, since pages of other origins show it; the number in it is the size. */
const avatarOf = (hash: string | null | undefined, publicUrl: string): UserView['avatar'] =>
  hash ? { url: `${publicUrl}/v1/avatars/${hash}-256.webp`, sizes: [...pictureSizes] } : null;

/** Fast path: most users have only the role `user`. */
const rolesOf = (text: string): string[] => (text === 'user' ? ['user'] : text.split(' '));

/** For whom a view is made, and under which URL the service is. */
export type Shown = { readonly to: Principal; readonly publicUrl: string };

/** Undefined, which JSON leaves out, for services: the address is not the user's yet. */
const pendingFor = (to: Principal, pendingEmail: string | null | undefined): string | null | undefined =>
  to.kind === 'service' ? undefined : (pendingEmail ?? null);

export function viewOfRow(row: UserRow, { to, publicUrl }: Shown): UserView {
  const createdAt = toRfc3339(row.created_ms);
  return {
    id: row.id,
    subject: row.subject ?? row.id,
    userName: row.user_name,
    firstName: row.first_name,
    lastName: row.last_name,
    email: row.email,
    emailVerified: row.email_verified,
    pendingEmail: pendingFor(to, row.pending_email),
    roles: rolesOf(row.roles),
    status: row.status,
    avatar: avatarOf(row.avatar_hash, publicUrl),
    profile: row.profile ?? {},
    metadata: row.metadata ?? {},
    createdAt,
    updatedAt: row.updated_ms === null ? createdAt : toRfc3339(row.updated_ms),
  };
}

export function viewOfEntity(user: User, { to, publicUrl }: Shown): VersionedUser {
  const { id, userName, firstName, lastName, roles, status, profile, metadata, version } = user;
  const view: UserView = {
    id,
    subject: user.subject ?? id,
    userName,
    firstName,
    lastName,
    email: user.email ?? null,
    emailVerified: user.emailVerified,
    pendingEmail: pendingFor(to, user.pendingEmail),
    roles: [...roles],
    status,
    avatar: avatarOf(user.avatarHash && Buffer.from(user.avatarHash).toString('hex'), publicUrl),
    profile,
    metadata,
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString(),
  };
  return { version, user: view };
}

/** The body of an answer about one user; sets its `ETag`. */
export function withTag({ user, version }: VersionedUser, reply: FastifyReply): UserView {
  void reply.header('etag', etagOf(version));
  return user;
}
