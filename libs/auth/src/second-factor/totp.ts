import { createHmac, randomBytes } from 'node:crypto';

import { isSame } from '#libs/platform/crypto';

/** RFC 4226 §4 recommends 160 bits. */
const secretBytes = 20;
const digitsOfCode = 6;
export const stepSeconds = 30;
/** Steps before and after the present one: clocks of phones differ, and people type slowly. */
const tolerance = 1;
const base32Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export const newTotpSecret = (): Buffer => randomBytes(secretBytes);

/** An HOTP value (RFC 4226 §5.3): HMAC-SHA-1, truncated to so many decimal digits. */
export function hotp(secret: Buffer, counter: number, digits = digitsOfCode): string {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(counter));
  const mac = createHmac('sha1', secret).update(message).digest();
  const offset = mac.readUInt8(mac.length - 1) % 16;
  const truncated = mac.readUInt32BE(offset) % 2 ** 31;
  return (truncated % 10 ** digits).toString().padStart(digits, '0');
}

/** A TOTP value (RFC 6238 §4). `now` in Unix ms. */
export const totp = (secret: Buffer, now: number, digits?: number): string => hotp(secret, stepAt(now), digits);

/** What is known when a code comes: `now` in Unix ms, and the last step that was used, or 0. */
type Moment = { readonly now: number; readonly usedStep: number };

/**
 * The time step that a code is of: the present one, the one before or the one after, and later than
 * the last that was used (RFC 6238 §5.2). Pure; all three are compared, in constant time.
 */
export function stepOfCode(secret: Buffer, code: string, { now, usedStep }: Moment): number | undefined {
  const steps = Array.from({ length: 2 * tolerance + 1 }, (_, at) => stepAt(now) - tolerance + at);
  const matching = steps.filter((step) => isSame(hotp(secret, step), code));
  return matching.find((step) => step > usedStep);
}

/** Base32 without padding (RFC 4648 §6), as authenticator apps take secrets. */
export function toBase32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => base32Letters.charAt(Number.parseInt(group.padEnd(5, '0'), 2))).join('');
}

const stepAt = (now: number): number => Math.floor(now / 1_000 / stepSeconds);
