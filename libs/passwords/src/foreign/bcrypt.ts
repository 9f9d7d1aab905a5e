import type { HashCheck, HashFault } from './hash-format.js';

const maxCost = 14;

/**
 * bcrypt as `$2a$`, `$2b$` or `$2y$`, which mean the same here; not `$2x$`, which marks hashes of a broken version. Only
 * the first 72 bytes of a password count, as they did where the hash was made.
 */
export function readBcrypt(text: string): HashCheck | HashFault {
  if (!/^\$2[aby]\$/.test(text)) return 'hash-unknown';
  const cost = Number(/^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)?.[1] ?? 0);
  if (cost < 4) return 'hash-malformed';
  if (cost > maxCost) return 'hash-too-costly';
  return async (password) => (await import('@node-rs/bcrypt')).verify(password, text);
}
