import { AppError } from '#libs/platform/errors';

import { isUser, type Principal } from './principal.js';

/** Challenge of RFC 9470 §3, as that of a fresh authentication. */
const challenge = `Bearer realm="gatehouse", error="insufficient_user_authentication", error_description="A second \
factor is required", acr_values="urn:gatehouse:2fa"`;
const detail =
  'Your role asks for a second factor. POST /v1/auth/second-factor/totp sets one up; whoever has one gives a code to ' +
  'POST /v1/auth/reauthenticate, or signs in with it.';

/**
 * Refuses people who hold one of the roles when no second factor was given in their session. By the
 * claims of the token alone.
 * @throws AppError `second-factor-required`, as 403: the token is good, and not enough
 */
export function assertSecondFactor(caller: Principal, roles: readonly string[]): void {
  if (!isUser(caller) || caller.hasSecondFactor || !roles.some((role) => caller.roles.includes(role))) return;
  throw new AppError('second-factor-required', { status: 403, detail, headers: { 'www-authenticate': challenge } });
}
