import { randomBytes } from 'node:crypto';

import { Injectable, type OnModuleInit } from '@nestjs/common';

import { SealingKey } from '#libs/platform/crypto';
import { SealedKeys } from '#libs/platform/sealed-keys';

/**
 * The key under which tokens of links are looked up and per-row keys are sealed. It is random and kept sealed by the
 * master key, not derived from it: a hash cannot be made anew without its token, so links would end with the master key
 * that they were made under. This way a change of the master key seals one row anew, and replicas with the old and the
 * new one serve each other's links meanwhile.
 */
@Injectable()
export class LinkKeys implements OnModuleInit {
  #key: SealingKey | undefined;

  constructor(private readonly keys: SealedKeys) {}

  /** @throws WrongMasterKeyError */
  async onModuleInit(): Promise<void> {
    this.#key = new SealingKey(await this.keys.findOrMake('links', () => randomBytes(32)));
  }

  get key(): SealingKey {
    if (!this.#key) throw new Error('LinkKeys is not initialised yet');
    return this.#key;
  }
}
