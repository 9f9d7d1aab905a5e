import { assertFreshlyAuthenticated, isAdmin, isUser, type Principal } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';

import type { CreateUser, PatchUser } from './users.schema.js';

// Who may do what with accounts: the only place that decides it.

/**
 * The id of the user that a path names, if the caller may read that user: users themselves,
 * administrators, and services with `users:read`. Others get one answer, whether it exists or not.
 * @throws AppError `forbidden`
 */
export function readableId(id: string, caller: Principal): string {
  const isReader = isAdmin(caller) || (caller.kind === 'service' && caller.scopes.includes('users:read'));
  return ownOr(isReader, id, caller);
}

/** As `readableId`, for changes: users themselves and administrators. */
export function changeableId(id: string, caller: Principal): string {
  return ownOr(isAdmin(caller), id, caller);
}

/** As `changeableId`, and services with `users:write`, which may change `metadata` alone. */
export function patchableId(id: string, change: PatchUser, caller: Principal): string {
  const userId = ownOr(isAdmin(caller) || isWriter(caller), id, caller);
  if (isAdmin(caller)) return userId;
  if (isWriter(caller)) {
    const isOnlyMetadata = Object.keys(change).every((name) => name === 'metadata');
    if (!isOnlyMetadata) throw new AppError('forbidden', { detail: 'A service may change `metadata` only.' });
  } else if (change.roles !== undefined || change.status !== undefined) {
    throw new AppError('forbidden', { detail: 'Only an administrator may change `roles` or `status`.' });
  } else assertMayWriteMetadata(change, caller);
  return userId;
}

/** @throws AppError `registration-closed`, `forbidden`, `fresh-authentication-required` */
export function assertMayCreate(
  { roles, metadata }: Partial<Pick<CreateUser, 'roles' | 'metadata'>>,
  caller: Principal,
  registration: string,
): void {
  if (registration === 'closed' && !isAdmin(caller) && !isWriter(caller)) throw new AppError('registration-closed');
  assertMayWriteMetadata({ metadata }, caller);
  assertMayGiveRoles(roles, caller);
}

/**
 * To somebody who has no account yet. Absent roles are nobody's gift.
 * @throws AppError `forbidden`, `fresh-authentication-required`
 */
export function assertMayGiveRoles(roles: readonly string[] | undefined, caller: Principal): void {
  if (roles !== undefined && !isAdmin(caller)) {
    throw new AppError('forbidden', { detail: 'Only an administrator may give `roles`.' });
  }
  if (roles?.some((role) => role !== 'user')) assertFreshlyAuthenticated(caller);
}

/**
 * The answer about a user that does not exist. When that user is the caller, who was erased on
 * another replica a moment ago, the token has become invalid (RFC 6750 §3.1), not the path.
 */
export function noSuchUser(id: string, caller: Principal): AppError {
  return new AppError(isUser(caller) && caller.userId === id ? 'invalid-token' : 'user-not-found');
}

const isWriter = (caller: Principal): boolean => caller.kind === 'service' && caller.scopes.includes('users:write');

function assertMayWriteMetadata({ metadata }: Pick<PatchUser, 'metadata'>, caller: Principal): void {
  if (metadata === undefined || isAdmin(caller) || isWriter(caller)) return;
  const detail = 'Only an administrator, or a service with `users:write`, may write `metadata`.';
  throw new AppError('forbidden', { detail });
}

function ownOr(isAllowed: boolean, id: string, caller: Principal): string {
  const ownId = isUser(caller) ? caller.userId : undefined;
  const target = id === 'me' ? ownId : id.toLowerCase();
  if (target === undefined || (target !== ownId && !isAllowed)) throw new AppError('forbidden');
  return target;
}
