import { scrypt, timingSafeEqual } from 'node:crypto';

import { decodeBase64, type HashCheck, type HashFault, minDigestBytes } from './hash-format.js';

const limits = { memoryBytes: 268_435_456, blocks: 2_097_152 };

export type ScryptCost = { readonly log2N: number; readonly r: number; readonly p: number };

/** `$scrypt$ln=16,r=8,p=1$<salt>$<digest>`, the PHC form, which is also passlib's. */
export function readScrypt(text: string): HashCheck | HashFault {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,4}),p=(\d{1,4})\$([^$]{0,256})\$([^$]{1,128})$/.exec(text);
  const [salt, digest] = [decodeBase64(match?.[4] ?? ''), decodeBase64(match?.[5] ?? '')];
  if (!match || !salt || !digest || digest.length < minDigestBytes) return 'hash-malformed';
  const cost = { log2N: Number(match[1]), r: Number(match[2]), p: Number(match[3]) };
  const fault = faultOfCost(cost);
  if (fault) return fault;
  return async (password) => timingSafeEqual(await deriveScrypt(password, salt, cost, digest.length), digest);
}

export function faultOfCost({ log2N, r, p }: ScryptCost): HashFault | undefined {
  if (log2N < 1 || r < 1 || p < 1) return 'hash-malformed';
  const blocks = 2 ** log2N * r;
  return blocks * 128 > limits.memoryBytes || blocks * p > limits.blocks ? 'hash-too-costly' : undefined;
}

/** RFC 7914, on a thread of libuv. */
export function deriveScrypt(
  password: string,
  salt: Buffer,
  { log2N, r, p }: ScryptCost,
  length: number,
): Promise<Buffer> {
  const N = 2 ** log2N;
  // what OpenSSL counts, with some room
  const maxmem = 128 * r * (N + p + 2) + 1_048_576;
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { N, r, p, maxmem }, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
