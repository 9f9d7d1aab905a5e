import { readArgon2 } from './argon2.js';
import { readBcrypt } from './bcrypt.js';
import { readFirebaseScrypt } from './firebase-scrypt.js';
import type { HashCheck, HashFault, ReadHash } from './hash-format.js';
import { readPbkdf2 } from './pbkdf2.js';
import { readScrypt } from './scrypt.js';
import { readShaCrypt } from './sha-crypt.js';

/** What is stored for a user who has no password: no password belongs to it (shadow(5) has the same sign). */
export const noPassword = '!';

const maxLength = 1_024;

const formats: readonly (readonly [prefix: string, read: ReadHash])[] = [
  ['$argon2', readArgon2],
  ['$2', readBcrypt],
  ['$scrypt$', readScrypt],
  ['$pbkdf2', readPbkdf2],
  ['pbkdf2_', readPbkdf2],
  ['$fbscrypt$', readFirebaseScrypt],
  ['$5$', readShaCrypt],
  ['$6$', readShaCrypt],
];

/** Reads a hash of any format that we know: ours, and those that come with an import. */
export function readHash(text: string): HashCheck | HashFault {
  if (text.length > maxLength) return 'hash-malformed';
  const [, read] = formats.find(([prefix]) => text.startsWith(prefix)) ?? [];
  return read ? read(text) : 'hash-unknown';
}

/** Why a hash is not taken; nothing if it is. */
export function faultOfHash(text: string): HashFault | undefined {
  const read = readHash(text);
  return typeof read === 'string' ? read : undefined;
}
