import { randomBytes } from 'node:crypto';

import { Injectable, type OnModuleInit } from '@nestjs/common';

import { SealingKey } from '#libs/platform/crypto';
import { SealedKeysRepository } from '#libs/platform/sealed-keys';

/**
 * Seals what second factors are checked with, and hashes recovery codes. The key is random and
 * sealed by the master key, not derived from it (ADR 18): factors and codes outlive a change of the
 * master key without being written anew.
 */
@Injectable()
export class FactorKey implements OnModuleInit {
  #key: SealingKey | undefined;

  constructor(private readonly keys: SealedKeysRepository) {}

  /** @throws WrongMasterKeyError */
  async onModuleInit(): Promise<void> {
    this.#key = new SealingKey(await this.keys.findOrMake('second-factors', () => randomBytes(32)));
  }

  /** @param id of the factor's row; it opens nowhere else */
  seal(id: string, secret: Buffer): Buffer {
    return this.#loaded.seal(secret, contextOf(id));
  }

  /** @throws WrongMasterKeyError when it was sealed elsewhere or changed since */
  open(id: string, sealed: Uint8Array): Buffer {
    return this.#loaded.open(Buffer.from(sealed), contextOf(id));
  }

  /** Keyed, and another for each user: a dump allows no guesses, and no row works for others. */
  hashOf(userId: string, recoveryCode: string): Buffer {
    return this.#loaded.mac('recovery-code', `${userId} ${recoveryCode}`);
  }

  get #loaded(): SealingKey {
    if (!this.#key) throw new Error('FactorKey is not initialised yet');
    return this.#key;
  }
}

const contextOf = (id: string): string => `second-factor:${id}`;
