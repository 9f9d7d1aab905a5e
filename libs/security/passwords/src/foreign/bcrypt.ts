import { createHash, createHmac } from 'node:crypto';

import type { HashCheck, HashFault, HashLimits } from './hash-format.js';

const alphabet = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const [saltEnd, minCost] = [29, 4];
/** In base64, 16 bytes of salt use two bits of the last character, and 23 bytes of digest four. */
const usedBits = { salt: 0b110000, digest: 0b111100 };

/**
 * bcrypt as `$2a$`, `$2b$` or `$2y$`, which mean the same here. `$2x$` is refused: it marks hashes
 * of a broken version. Only the first 72 bytes of a password count, as they did where the hash was
 * made.
 */
export function readBcrypt(text: string, { bcryptCost }: HashLimits): HashCheck | HashFault {
  if (!/^\$2[aby]\$/.test(text)) return 'hash-unknown';
  const cost = Number(/^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)?.[1] ?? 0);
  if (cost < minCost) return 'hash-malformed';
  if (cost > bcryptCost) return 'hash-too-costly';
  const plain = withoutUnusedBits(text);
  return async (password) => (await import('@node-rs/bcrypt')).verify(password, plain);
}

/** Django: `bcrypt$` and a hash of the password; `bcrypt_sha256$` and one of its SHA-256 in hex. */
export function readDjangoBcrypt(text: string, limits: HashLimits): HashCheck | HashFault {
  const [, kind, hash = ''] = /^bcrypt(_sha256)?\$(\$2.*)$/s.exec(text) ?? [];
  const check = readBcrypt(hash, limits);
  if (typeof check === 'string' || kind === undefined) return check;
  return (password) => check(createHash('sha256').update(password).digest('hex'));
}

/** WordPress since 6.8: `$wp` and a hash of the HMAC-SHA384 of the password, trimmed as by PHP. */
export function readWordPressBcrypt(text: string, limits: HashLimits): HashCheck | HashFault {
  const check = readBcrypt(text.slice('$wp'.length), limits);
  if (typeof check === 'string') return check;
  return (password) => {
    const trimmed = password.replaceAll(/^[ \n\r\t\v\0]+|[ \n\r\t\v\0]+$/g, '');
    return check(createHmac('sha384', 'wp-sha384').update(trimmed).digest('base64'));
  };
}

/** Clears the bits that base64 does not use. Some libraries leave noise there: passlib #25. */
function withoutUnusedBits(text: string): string {
  const salt = masked(text.charAt(saltEnd - 1), usedBits.salt);
  const digest = masked(text.slice(-1), usedBits.digest);
  return text.slice(0, saltEnd - 1) + salt + text.slice(saltEnd, -1) + digest;
}

const masked = (character: string, bits: number): string => alphabet.charAt(alphabet.indexOf(character) & bits);
