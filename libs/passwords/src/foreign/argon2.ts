import { verify } from '@node-rs/argon2';

import { decodeBase64, type HashCheck, type HashFault, minDigestBytes } from './hash-format.js';

const limits = { memoryKib: 262_144, lanes: 16, kibPasses: 1_048_576 };
const digits = String.raw`(\d{1,9})`;
const bytes = String.raw`([A-Za-z0-9+/]+)`;
const pattern = new RegExp(
  String.raw`^\$argon2(?:id|i|d)\$(?:v=${digits}\$)?m=${digits},t=${digits},p=${digits}\$${bytes}\$${bytes}$`,
);

/** argon2i, argon2d and argon2id as PHC strings, version 1.3 (`v=19`); the library knows no other. */
export function readArgon2(text: string): HashCheck | HashFault {
  const [, version, m, t, p, salt = '', digest = ''] = pattern.exec(text) ?? [];
  if (digest === '') return 'hash-malformed';
  if (version !== '19') return 'hash-unknown';
  const [memoryKib, passes, lanes] = [Number(m), Number(t), Number(p)];
  if (!isSound(salt, [8, 48]) || !isSound(digest, [minDigestBytes, 64])) return 'hash-malformed';
  if (lanes < 1 || passes < 1 || memoryKib < 8 * lanes) return 'hash-malformed';
  const isCostly =
    memoryKib > limits.memoryKib || lanes > limits.lanes || memoryKib * passes > limits.kibPasses || passes > 64;
  return isCostly ? 'hash-too-costly' : (password) => verify(text, password);
}

/** The lengths, in bytes, are those that the library takes. */
function isSound(encoded: string, [min, max]: readonly [number, number]): boolean {
  const length = decodeBase64(encoded)?.length ?? 0;
  return length >= min && length <= max;
}
