import { createCipheriv, timingSafeEqual } from 'node:crypto';

import { decodeBase64, type HashCheck, type HashFault, type HashLimits, minDigestBytes } from './hash-format.js';
import { deriveScrypt, faultOfCost } from './scrypt.js';

const pattern =
  /^\$fbscrypt\$v=1,n=(\d{1,2}),r=(\d{1,4}),p=(\d{1,4})(?:,ss=([^,$]{0,64}))?,sk=([^,$]{1,256})\$([^$]{0,256})\$([^$]{1,256})$/;
const ivBytes = 16;

/**
 * Firebase's changed scrypt, in the form that Supabase Auth gave it:
 * `$fbscrypt$v=1,n=<mem_cost>,r=<rounds>,p=1,ss=<salt separator>,sk=<signer key>$<salt>$<hash>`, all base64. The key that
 * scrypt makes of a password enciphers the project's signer key; what comes out is the hash.
 */
export function readFirebaseScrypt(text: string, limits: HashLimits): HashCheck | HashFault {
  const match = pattern.exec(text);
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
