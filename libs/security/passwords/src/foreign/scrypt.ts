import { createCipheriv, scrypt, timingSafeEqual } from 'node:crypto';

import { decodeBase64, type HashCheck, type HashFault, type HashLimits, minDigestBytes } from './hash-format.js';

/** Blocks of 128 bytes in a MiB. */
const blocksOfMib = 8_192;

const firebase =
  /^\$fbscrypt\$v=1,n=(\d{1,2}),r=(\d{1,4}),p=(\d{1,4})(?:,ss=([^,$]{0,64}))?,sk=([^,$]{1,256})\$([^$]{0,256})\$([^$]{1,256})$/;
const ivBytes = 16;

type ScryptCost = { readonly log2N: number; readonly r: number; readonly p: number };

/** `$scrypt$ln=16,r=8,p=1$<salt>$<digest>`, the PHC form, which is also passlib's. */
export function readScrypt(text: string, limits: HashLimits): HashCheck | HashFault {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,4}),p=(\d{1,4})\$([^$]{0,256})\$([^$]{1,128})$/.exec(text);
  const [salt, digest] = [decodeBase64(match?.[4] ?? ''), decodeBase64(match?.[5] ?? '')];
  if (!match || !salt || !digest || digest.length < minDigestBytes) return 'hash-malformed';
  const cost = { log2N: Number(match[1]), r: Number(match[2]), p: Number(match[3]) };
  const fault = faultOfCost(cost, limits);
  if (fault) return fault;
  return async (password) => timingSafeEqual(await deriveScrypt(password, salt, cost, digest.length), digest);
}

/**
 * Firebase's changed scrypt, in the form that Supabase Auth gave it:
 * `$fbscrypt$v=1,n=<mem_cost>,r=<rounds>,p=1,ss=<salt separator>,sk=<signer key>$<salt>$<hash>`,
 * all base64. The key that scrypt makes of a password encrypts the project's signer key. The
 * ciphertext is the hash.
 */
export function readFirebaseScrypt(text: string, limits: HashLimits): HashCheck | HashFault {
  const match = firebase.exec(text);
  const [separator, signer, salt, digest] = [4, 5, 6, 7].map((group) => decodeBase64(match?.[group] ?? ''));
  if (!match || !separator || !signer || !salt || !digest) return 'hash-malformed';
  if (digest.length < minDigestBytes || digest.length !== signer.length) return 'hash-malformed';
  const cost = { log2N: Number(match[1]), r: Number(match[2]), p: Number(match[3]) };
  const fault = faultOfCost(cost, limits);
  if (fault) return fault;
  return async (password) => {
    const key = await deriveScrypt(password, Buffer.concat([salt, separator]), cost, 32);
    const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(ivBytes));
    return timingSafeEqual(cipher.update(signer), digest);
  };
}

/** The bound of memory bounds the time too, as the `p` lanes are made one after the other. */
function faultOfCost({ log2N, r, p }: ScryptCost, { memoryMib }: HashLimits): HashFault | undefined {
  // N must be below 2^(128 r / 8) (RFC 7914 §2)
  if (log2N < 1 || r < 1 || p < 1 || log2N >= 16 * r) return 'hash-malformed';
  return 2 ** log2N * r * p > memoryMib * blocksOfMib ? 'hash-too-costly' : undefined;
}

/** RFC 7914, on a thread of libuv. */
function deriveScrypt(password: string, salt: Buffer, { log2N, r, p }: ScryptCost, length: number): Promise<Buffer> {
  const N = 2 ** log2N;
  // the memory that OpenSSL counts, and some more
  const maxmem = 128 * r * (N + p + 2) + 1_048_576;
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { N, r, p, maxmem }, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
