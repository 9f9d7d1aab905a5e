import { verify } from '@node-rs/argon2';

import { decodeBase64, type HashCheck, type HashFault, type HashLimits, minDigestBytes } from './hash-format.js';

const most = { lanes: 16, passes: 64, passesOfAllMemory: 4 };
// the library refuses leading zeros
const digits = String.raw`([1-9]\d{0,8})`;
const bytes = String.raw`([A-Za-z0-9+/]+)`;
const pattern = new RegExp(
  String.raw`^\$argon2(?:id|i|d)\$(?:v=${digits}\$)?m=${digits},t=${digits},p=${digits}\$${bytes}\$${bytes}$`,
);

/** argon2i, argon2d and argon2id as PHC strings, of version 1.3 (`v=19`) only, as the library. */
export function readArgon2(text: string, { memoryMib }: HashLimits): HashCheck | HashFault {
  const [, version, m, t, p, salt = '', digest = ''] = pattern.exec(text) ?? [];
  if (digest === '') return 'hash-malformed';
  if (version !== '19') return 'hash-unknown';
  const [memoryKib, passes, lanes] = [Number(m), Number(t), Number(p)];
  if (!isSound(salt, [8, 48]) || !isSound(digest, [minDigestBytes, 64])) return 'hash-malformed';
  if (memoryKib < 8 * lanes) return 'hash-malformed';
  const isCostly =
    memoryKib > memoryMib * 1_024 ||
    memoryKib * passes > memoryMib * 1_024 * most.passesOfAllMemory ||
    lanes > most.lanes ||
    passes > most.passes;
  return isCostly ? 'hash-too-costly' : (password) => verify(text, password);
}

/** `min` and `max` are the lengths in bytes that the library accepts. */
function isSound(encoded: string, [min, max]: readonly [number, number]): boolean {
  const length = decodeBase64(encoded)?.length ?? 0;
  return length >= min && length <= max;
}
