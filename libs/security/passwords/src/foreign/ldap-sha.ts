import { createHash, timingSafeEqual } from 'node:crypto';

import { decodeBase64, type HashCheck, type HashFault } from './hash-format.js';

const algorithms = {
  SHA: { name: 'sha1', bytes: 20 },
  SHA256: { name: 'sha256', bytes: 32 },
  SHA384: { name: 'sha384', bytes: 48 },
  SHA512: { name: 'sha512', bytes: 64 },
} as const;
const maxSaltBytes = 64;

/**
 * What LDAP servers keep in `userPassword` (RFC 2307, RFC 3112): `{SHA}`, and `{SSHA}` with a salt
 * behind the digest; also with 256, 384 and 512. It is one round of SHA: a thief of such hashes can
 * try billions of passwords a second.
 */
export function readLdapSha(text: string): HashCheck | HashFault {
  const [, salted, kind = '', encoded = ''] = /^\{(S?)(SHA(?:256|384|512)?)\}([A-Za-z0-9+/]+={0,2})$/i.exec(text) ?? [];
  const scheme = kind.toUpperCase();
  if (!isScheme(scheme)) return 'hash-unknown';
  const { name, bytes } = algorithms[scheme];
  const decoded = decodeBase64(encoded);
  const saltBytes = (decoded?.length ?? 0) - bytes;
  if (!decoded || (salted === '' ? saltBytes !== 0 : saltBytes < 1 || saltBytes > maxSaltBytes))
    return 'hash-malformed';
  const [digest, salt] = [decoded.subarray(0, bytes), decoded.subarray(bytes)];
  return (password) =>
    Promise.resolve(timingSafeEqual(createHash(name).update(password).update(salt).digest(), digest));
}

const isScheme = (name: string): name is keyof typeof algorithms => name in algorithms;
