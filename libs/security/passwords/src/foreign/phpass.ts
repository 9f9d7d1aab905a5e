import { timingSafeEqual } from 'node:crypto';

import type { HashCheck, HashFault } from './hash-format.js';
import { stretchApart } from './stretch-apart.js';

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** WordPress made 2^13 rounds, phpBB 2^11, Drupal 2^15: some hundredths of a second. */
const log2Rounds = { least: 7, most: 16 };
/** The work of a round grows with the password, and whoever logs in chooses that. */
const maxPasswordBytes = 256;
/** Drupal keeps the first 55 characters of all. */
const [md5Characters, drupalCharacters] = [22, 43];

/** Openwall's phpass: `$P$` of WordPress, `$H$` of phpBB, both MD5; and Drupal's `$S$` of SHA-512. */
export function readPhpass(text: string): HashCheck | HashFault {
  const [, kind, count = '', salt = '', digest = ''] =
    /^\$([PHS])\$([./0-9A-Za-z])([!-#%-~]{8})([./0-9A-Za-z]{22,43})$/.exec(text) ?? [];
  const length = kind === 'S' ? drupalCharacters : md5Characters;
  const log2 = alphabet.indexOf(count);
  if (digest.length !== length || log2 < log2Rounds.least) return 'hash-malformed';
  if (log2 > log2Rounds.most) return 'hash-too-costly';
  // two of 128 bits are alone in the last character
  if (kind !== 'S' && alphabet.indexOf(digest.slice(-1)) > 0b11) return 'hash-malformed';
  const algorithm = kind === 'S' ? 'sha512' : 'md5';
  return async (password) => {
    if (Buffer.byteLength(password) > maxPasswordBytes) return false;
    const made = await stretchApart({ kind: 'phpass', algorithm, password, salt, rounds: 2 ** log2 });
    return timingSafeEqual(Buffer.from(made.slice(0, length)), Buffer.from(digest));
  };
}
