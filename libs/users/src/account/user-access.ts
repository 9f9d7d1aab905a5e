import { assertFreshlyAuthenticated, isAdmin, isUser, type Principal } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';

import type { PatchUser } from './users.schema.js';

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

/** @throws AppError `forbidden` when the change has members that only an administrator may set */
export function assertMayPatch(change: PatchUser, caller: Principal): void {
  if (isAdmin(caller)) return;
  if (change.roles === undefined && change.status === undefined) return;
  throw new AppError('forbidden', { detail: 'Only an administrator may change `roles` or `status`.' });
}

/** @throws AppError `registration-closed`, `forbidden`, `fresh-authentication-required` */
export function assertMayCreate(
  { roles }: { roles?: readonly string[] | undefined },
  caller: Principal,
  registration: string,
): void {
  const isTrusted = isAdmin(caller) || (caller.kind === 'service' && caller.scopes.includes('users:write'));
  if (registration === 'closed' && !isTrusted) throw new AppError('registration-closed');
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

function ownOr(isAllowed: boolean, id: string, caller: Principal): string {
  const ownId = isUser(caller) ? caller.userId : undefined;
  const target = id === 'me' ? ownId : id.toLowerCase();
  if (target === undefined || (target !== ownId && !isAllowed)) throw new AppError('forbidden');
  return target;
}
