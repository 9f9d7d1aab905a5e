import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * SHA-256 in base64url (43 characters): for look-up keys of high-entropy secrets, never for
 * passwords.
 */
export const digest = (text: string): string => hash('sha256', text, 'base64url');

/** 256 random bits in base64url (43 characters). */
export const randomToken = (): string => randomBytes(32).toString('base64url');

/** SHA-256 as bytes: what is stored of a token that nobody can guess. */
export const digestBytes = (token: string): Buffer => hash('sha256', token, 'buffer');

/** For links in mail: 160 random bits as 40 hexadecimal digits, which nothing mangles. */
export const linkToken = (): string => randomBytes(20).toString('hex');

/** Compares in a time that depends on the lengths only. */
export function isSame(left: string, right: string): boolean {
  const [leftBytes, rightBytes] = [Buffer.from(left), Buffer.from(right)];
  return leftBytes.length === rightBytes.length && timingSafeEqual(leftBytes, rightBytes);
}
