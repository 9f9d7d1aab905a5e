import { timingSafeEqual } from 'node:crypto';

import type { HashCheck, HashFault, HashLimits } from './hash-format.js';
import { stretchApart } from './stretch-apart.js';

const roundsByDefault = 5_000;
const leastRounds = 1_000;
/** The work of a round grows with the password, and whoever logs in chooses that. */
const maxPasswordBytes = 256;
const pattern = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([!-#%-9;-~]{0,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/;
const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** SHA-crypt with SHA-256 (`$5$`) or SHA-512 (`$6$`), as in /etc/shadow. */
export function readShaCrypt(text: string, { shaCryptRounds }: HashLimits): HashCheck | HashFault {
  const [, kind, given, salt = '', digest = ''] = pattern.exec(text) ?? [];
  if (digest.length !== (kind === '5' ? 43 : 86)) return 'hash-malformed';
  const rounds = Math.max(Number(given ?? roundsByDefault), leastRounds);
  if (rounds > shaCryptRounds) return 'hash-too-costly';
  const algorithm = kind === '5' ? 'sha256' : 'sha512';
  return async (password) => {
    if (Buffer.byteLength(password) > maxPasswordBytes) return false;
    const made = await stretchApart({ kind: 'sha-crypt', algorithm, password, salt, rounds });
    return timingSafeEqual(Buffer.from(made), Buffer.from(withoutUnusedBits(digest)));
  };
}

/** 256 bits leave two of the last character's unused, and 512 bits four. */
function withoutUnusedBits(digest: string): string {
  const used = digest.length === 43 ? 0b1111 : 0b11;
  return digest.slice(0, -1) + alphabet.charAt(alphabet.indexOf(digest.slice(-1)) & used);
}
