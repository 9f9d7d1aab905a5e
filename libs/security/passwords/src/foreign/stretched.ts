import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { HashCheck, HashFault, HashLimits } from './hash-format.js';
import type { StretchTask } from './stretch.worker.js';

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The work of a round grows with the password, whose length the client chooses. */
const maxPasswordBytes = 256;

const roundsByDefault = 5_000;
const leastRounds = 1_000;
const shaCrypt = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([!-#%-9;-~]{0,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/;

/** SHA-crypt with SHA-256 (`$5$`) or SHA-512 (`$6$`), as in /etc/shadow. */
export function readShaCrypt(text: string, { shaCryptRounds }: HashLimits): HashCheck | HashFault {
  const [, kind, given, salt = '', digest = ''] = shaCrypt.exec(text) ?? [];
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

/** In the last character, 256 bits leave two bits unused, and 512 bits leave four. */
function withoutUnusedBits(digest: string): string {
  const used = digest.length === 43 ? 0b1111 : 0b11;
  return digest.slice(0, -1) + alphabet.charAt(alphabet.indexOf(digest.slice(-1)) & used);
}

/** WordPress made 2^13 rounds, phpBB 2^11, Drupal 2^15: some hundredths of a second. */
const log2Rounds = { least: 7, most: 16 };
/** Drupal keeps only the first 55 characters of the whole hash. */
const [md5Characters, drupalCharacters] = [22, 43];

/** phpass of Openwall: `$P$` (WordPress) and `$H$` (phpBB) of MD5; `$S$` (Drupal) of SHA-512. */
export function readPhpass(text: string): HashCheck | HashFault {
  const [, kind, count = '', salt = '', digest = ''] =
    /^\$([PHS])\$([./0-9A-Za-z])([!-#%-~]{8})([./0-9A-Za-z]{22,43})$/.exec(text) ?? [];
  const length = kind === 'S' ? drupalCharacters : md5Characters;
  const log2 = alphabet.indexOf(count);
  if (digest.length !== length || log2 < log2Rounds.least) return 'hash-malformed';
  if (log2 > log2Rounds.most) return 'hash-too-costly';
  // the last character holds the last two of 128 bits
  if (kind !== 'S' && alphabet.indexOf(digest.slice(-1)) > 0b11) return 'hash-malformed';
  const algorithm = kind === 'S' ? 'sha512' : 'md5';
  return async (password) => {
    if (Buffer.byteLength(password) > maxPasswordBytes) return false;
    const made = await stretchApart({ kind: 'phpass', algorithm, password, salt, rounds: 2 ** log2 });
    return timingSafeEqual(Buffer.from(made.slice(0, length)), Buffer.from(digest));
  };
}

// beside this file; `.ts` when the sources run as they are
const worker = new URL(`stretch.worker${extname(import.meta.url)}`, import.meta.url);

/**
 * Makes a hash of many rounds, for which there is no native code, on a thread of its own: it would
 * hold the event loop. Such hashes are too rare to keep the thread.
 * @returns the digest as the format writes it
 */
async function stretchApart(task: StretchTask): Promise<string> {
  const thread = new Worker(worker, { workerData: task, execArgv: [], stdout: false });
  const [made]: unknown[] = await once(thread, 'message');
  return String(made);
}
