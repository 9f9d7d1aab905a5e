import { isAdmin, isUser, type Principal, type UserPrincipal } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';

/** Whose sessions are meant: one's own; administrators may name another's. @throws AppError `forbidden` */
export function ownerOf(userId: string | undefined, caller: Principal): string {
  const own = isUser(caller) ? caller.userId : undefined;
  const wanted = userId?.toLowerCase() ?? own;
  if (wanted === undefined || (wanted !== own && !isAdmin(caller))) throw new AppError('forbidden');
  return wanted;
}

/** @throws AppError `forbidden` for a service, which has no sessions */
export function asUser(caller: Principal): UserPrincipal {
  if (!isUser(caller)) throw new AppError('forbidden', { detail: 'Only a signed-in user has sessions.' });
  return caller;
}
