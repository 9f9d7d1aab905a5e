import type { ParsedToken } from './access-token.js';
import type { Settings } from './options.js';
import { VerifyError } from './verify-error.js';
import type { ParsedVerifyOptions } from './verify-options.js';

/**
 * The clock of the issuer may be ahead by this much. A token from further ahead would outlive the
 * revocations of today.
 */
const clockSkewSeconds = 60;

/** @param now Unix seconds @throws VerifyError `not-yet-valid`, `expired` */
export function checkDates({ claims }: ParsedToken, settings: Settings, now: number): void {
  const { clockToleranceSeconds: tolerance, resourceMetadataUrl } = settings;
  const { exp, iat = 0, nbf = 0 } = claims;
  if (iat > now + clockSkewSeconds + tolerance || nbf > now + tolerance) {
    throw new VerifyError('not-yet-valid', { resourceMetadataUrl });
  }
  if (exp <= now - tolerance) throw new VerifyError('expired', { resourceMetadataUrl });
}

/** @param now Unix seconds @throws VerifyError `missing-permission`, `authentication-too-old` */
export function checkRequirements(
  token: ParsedToken,
  { permissions, maxAuthAgeSeconds }: ParsedVerifyOptions,
  { resourceMetadataUrl, clockToleranceSeconds }: Settings,
  now: number,
): void {
  if (permissions.some((permission) => !token.permissions.has(permission))) {
    throw new VerifyError('missing-permission', { permissions, resourceMetadataUrl });
  }
  if (maxAuthAgeSeconds === undefined) return;
  const { auth_time: authTime } = token.claims;
  if (authTime !== undefined && authTime >= now - maxAuthAgeSeconds - clockToleranceSeconds) return;
  throw new VerifyError('authentication-too-old', { maxAuthAgeSeconds, resourceMetadataUrl });
}
