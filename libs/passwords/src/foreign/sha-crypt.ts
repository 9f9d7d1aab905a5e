import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { HashCheck, HashFault } from './hash-format.js';
import type { ShaCryptTask } from './sha-crypt.worker.js';

const roundsByDefault = 5_000;
const leastRounds = 1_000;
/** passlib's own default is 656,000. */
const maxRounds = 700_000;
/** The work of a round grows with the password, and whoever logs in chooses that. */
const maxPasswordBytes = 256;
const pattern = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$:\s]{0,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/;
// beside this file; `.ts` when the sources run as they are
const worker = new URL(`sha-crypt.worker${extname(import.meta.url)}`, import.meta.url);

/** SHA-crypt with SHA-256 (`$5$`) or SHA-512 (`$6$`), as in /etc/shadow. */
export function readShaCrypt(text: string): HashCheck | HashFault {
  const [, kind, given, salt = '', digest = ''] = pattern.exec(text) ?? [];
  if (digest.length !== (kind === '5' ? 43 : 86)) return 'hash-malformed';
  const rounds = Math.max(Number(given ?? roundsByDefault), leastRounds);
  if (rounds > maxRounds) return 'hash-too-costly';
  const algorithm = kind === '5' ? 'sha256' : 'sha512';
  return async (password) => {
    if (Buffer.byteLength(password) > maxPasswordBytes) return false;
    const made = await compute({ algorithm, password, salt, rounds });
    return timingSafeEqual(Buffer.from(made), Buffer.from(digest));
  };
}

/** A thread for each: rare, short-lived, and as long a computation as none that may hold the event loop. */
async function compute(task: ShaCryptTask): Promise<string> {
  const thread = new Worker(worker, { workerData: task, execArgv: [], stdout: false });
  const [made]: unknown[] = await once(thread, 'message');
  return String(made);
}
