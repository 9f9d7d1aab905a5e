import { AppError } from '#libs/platform/errors';

import { isUser, type Principal } from './principal.js';

const maxAgeSeconds = 600;
/**
 * Challenge of RFC 9470 §3, under the status of an action that is refused to this token, not to
 * every one.
 */
const challenge = `Bearer realm="gatehouse", error="insufficient_user_authentication", error_description="More recent \
authentication is required", max_age="${maxAgeSeconds}"`;

/**
 * Refuses people whose token does not say that they gave their password within the last ten
 * minutes: an access token alone, which other services may have seen, must not be enough to grant
 * trust. Services have keys of their own.
 * @throws AppError `fresh-authentication-required`
 */
export function assertFreshlyAuthenticated(caller: Principal): void {
  if (!isUser(caller)) return;
  const ageSeconds = Date.now() / 1000 - (caller.authTime ?? 0);
  if (ageSeconds <= maxAgeSeconds) return;
  throw new AppError('fresh-authentication-required', { headers: { 'www-authenticate': challenge } });
}
