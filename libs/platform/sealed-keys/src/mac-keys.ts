import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { MasterKey } from '#libs/platform/crypto';

import { SealedKeysRepository } from './sealed-keys.repository.js';

const keyBytes = 32;

/** HMAC-SHA-256 for one purpose, the same on every replica and under every master key. */
export class MacKey {
  readonly #own: KeyObject;
  readonly #earlier: readonly KeyObject[];

  /** @param bytes keys of 32 bytes: the first makes MACs, all of them know theirs again */
  constructor(bytes: Buffer) {
    const count = bytes.length / keyBytes;
    const keys = Array.from({ length: count }, (_, at) => bytes.subarray(at * keyBytes, (at + 1) * keyBytes));
    const [own, ...earlier] = keys.map((key) => createSecretKey(key));
    if (!own || !Number.isInteger(count)) throw new Error('A MAC key has 32 bytes');
    this.#own = own;
    this.#earlier = earlier;
  }

  mac(data: string): Buffer {
    return macWith(this.#own, data);
  }

  /** Whether a MAC, or the beginning of one, was made with this key; in constant time. */
  isMac(data: string, mac: Buffer): boolean {
    return [this.#own, ...this.#earlier].some((key) =>
      timingSafeEqual(macWith(key, data).subarray(0, mac.length), mac),
    );
  }
}

const macWith = (key: KeyObject, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/**
 * Gives features their MAC keys. A key is derived from the master key at the first start that needs
 * it, and kept, so that MACs outlive the master key. A replica of a release that derived the key
 * each time makes the same MACs.
 */
@Injectable()
export class MacKeys {
  constructor(
    private readonly keys: SealedKeysRepository,
    private readonly master: MasterKey,
  ) {}

  /** @throws WrongMasterKeyError */
  async get(purpose: string): Promise<MacKey> {
    return new MacKey(await this.keys.findOrMake(`mac:${purpose}`, () => this.master.deriveWithPrevious(purpose)));
  }
}
