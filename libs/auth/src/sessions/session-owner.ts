import type { IncomingHttpHeaders } from 'node:http';

import { isAdmin, isUser, type Principal, type UserPrincipal } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';

/** Whose sessions a caller means; administrators may name another. @throws AppError `forbidden` */
export function ownerOf(userId: string | undefined, caller: Principal): string {
  const own = isUser(caller) ? caller.userId : undefined;
  const wanted = userId?.toLowerCase() ?? own;
  if (wanted === undefined || (wanted !== own && !isAdmin(caller))) throw new AppError('forbidden');
  return wanted;
}

/**
 * For routes that are open to a caller whose access token is no longer good (`@LenientAuth`).
 * @throws AppError `invalid-token`, `authentication-required`; `forbidden` for a service
 */
export function assertUser(caller: Principal, { authorization }: IncomingHttpHeaders): UserPrincipal {
  if (!isUser(caller) && authorization !== undefined) throw new AppError('invalid-token');
  if (caller.kind === 'anonymous') throw new AppError('authentication-required');
  return asUser(caller);
}

/** @throws AppError `forbidden` for a service, which has no sessions */
export function asUser(caller: Principal): UserPrincipal {
  if (!isUser(caller)) throw new AppError('forbidden', { detail: 'Only a signed-in user has sessions.' });
  return caller;
}
