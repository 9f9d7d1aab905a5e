import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * Bytes kept of each SHA-256. A password that is not on a list of n is refused by mistake with a
 * chance of n / 2^64: 1.6e-14 for 300,000 entries. Six bytes would give 1.1e-9.
 */
export const digestBytes = 8;

/** What the list stores: the first bytes of the SHA-256 of the NFC form in lower case, as UTF-8. */
export function digestOf(password: string): Buffer {
  return hash('sha256', password.normalize('NFC').toLowerCase(), 'buffer').subarray(0, digestBytes);
}

/**
 * The blocklist of known common passwords that NIST SP 800-63B-4 §3.1.1.2 requires, offline.
 *
 * Holds entries of 8 and more characters only: shorter ones are refused by their length.
 * Source and licence: `libs/security/passwords/data/README.md`.
 */
export class CommonPasswords {
  readonly #digests: Buffer;

  private constructor(digests: Buffer) {
    this.#digests = digests;
  }

  /**
   * Reads the file, synchronously (2.4 MB): once, at start.
   * @throws Error when it is missing or damaged
   */
  static load(): CommonPasswords {
    const digests = readFileSync(new URL('../../data/common-passwords.bin', import.meta.url));
    if (digests.length === 0 || digests.length % digestBytes !== 0) {
      throw new Error('common-passwords.bin is damaged: rebuild it with scripts/build-common-passwords.ts');
    }
    return new CommonPasswords(digests);
  }

  get size(): number {
    return this.#digests.length / digestBytes;
  }

  /** Compares the whole password, in any letter case, as every entry is stored in lower case. */
  has(password: string): boolean {
    const wanted = digestOf(password);
    let low = 0;
    let high = this.size - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const at = middle * digestBytes;
      const order = wanted.compare(this.#digests, at, at + digestBytes);
      if (order === 0) return true;
      if (order < 0) high = middle - 1;
      else low = middle + 1;
    }
    return false;
  }
}
