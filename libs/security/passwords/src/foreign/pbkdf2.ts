import { pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

import { decodeBase64, type HashCheck, type HashFault, type HashLimits, minDigestBytes } from './hash-format.js';

const blockBytes = { sha1: 20, sha256: 32, sha512: 64 } as const;
const phc =
  /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?([1-9]\d{0,9})(?:,l=(\d{1,3}))?\$([^$]{0,256})\$([^$]{1,128})$/;
const django = /^pbkdf2_(sha1|sha256|sha512)\$([1-9]\d{0,9})\$([^$]{0,256})\$([^$]{1,128})$/;
const derive = promisify(pbkdf2);

type Parts = {
  algorithm: string | undefined;
  iterations: number;
  salt?: Buffer | undefined;
  digest?: Buffer | undefined;
};

/**
 * PBKDF2 with HMAC of SHA-1, SHA-256 or SHA-512, in three forms: PHC
 * `$pbkdf2-sha256$i=…,l=…$<salt>$<digest>`, passlib `$pbkdf2-sha256$<iterations>$<salt>$<digest>`,
 * and Django `pbkdf2_sha256$<iterations>$<salt as text>$<digest>`.
 */
export function readPbkdf2(text: string, { pbkdf2Iterations }: HashLimits): HashCheck | HashFault {
  if (!/^\$pbkdf2(?:-sha(?:1|256|512))?\$|^pbkdf2_sha(?:1|256|512)\$/.test(text)) return 'hash-unknown';
  const { algorithm = 'sha1', iterations, salt, digest } = readPhc(text) ?? readDjango(text) ?? { iterations: 0 };
  if (!isAlgorithm(algorithm) || !salt || !digest || digest.length < minDigestBytes) return 'hash-malformed';
  if (iterations * Math.ceil(digest.length / blockBytes[algorithm]) > pbkdf2Iterations) return 'hash-too-costly';
  return async (password) =>
    timingSafeEqual(await derive(password, salt, iterations, digest.length, algorithm), digest);
}

function readPhc(text: string): Parts | undefined {
  const [, algorithm, iterations, length, salt = '', encoded = ''] = phc.exec(text) ?? [];
  const digest = decodeBase64(encoded);
  if (iterations === undefined || (length !== undefined && Number(length) !== digest?.length)) return undefined;
  return { algorithm, iterations: Number(iterations), salt: decodeBase64(salt), digest };
}

function readDjango(text: string): Parts | undefined {
  const [, algorithm, iterations, salt = '', digest = ''] = django.exec(text) ?? [];
  if (iterations === undefined) return undefined;
  return { algorithm, iterations: Number(iterations), salt: Buffer.from(salt), digest: decodeBase64(digest) };
}

const isAlgorithm = (name: string): name is keyof typeof blockBytes => name in blockBytes;
