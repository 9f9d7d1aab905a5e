import { randomBytes } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { MasterKey } from '#libs/platform/crypto';

import { SealedKeyEntity } from './sealed-key.entity.js';

const name = 'links';
const sealContext = `sealed-key:${name}`;

/**
 * The key under which tokens of links are looked up and per-row keys are sealed. It is random and kept sealed by the
 * master key, not derived from it: a hash cannot be made anew without its token, so links would end with the master key
 * that they were made under. This way a change of the master key seals one row anew, and replicas with the old and the
 * new one serve each other's links meanwhile.
 */
@Injectable()
export class LinkKeys implements OnModuleInit {
  #key: MasterKey | undefined;

  constructor(
    private readonly em: SqlEntityManager,
    private readonly master: MasterKey,
  ) {}

  /** @throws WrongMasterKeyError */
  async onModuleInit(): Promise<void> {
    const em = this.em.fork();
    const sealed = this.master.seal(randomBytes(32), sealContext);
    // replicas that start at once agree on the one that came first
    await em.upsert(SealedKeyEntity, { name, sealed }, { onConflictAction: 'ignore' });
    const row = await em.fork().findOneOrFail(SealedKeyEntity, { name });
    this.#key = new MasterKey(this.master.open(Buffer.from(row.sealed), sealContext));
  }

  get key(): MasterKey {
    if (!this.#key) throw new Error('LinkKeys is not initialised yet');
    return this.#key;
  }

  /** Seals under today's master key what is sealed under the previous one. @returns how many keys: 0 or 1 */
  async reseal(): Promise<number> {
    return this.em.fork().transactional(async (em) => {
      const row = await em.findOneOrFail(SealedKeyEntity, { name });
      const sealed = Buffer.from(row.sealed);
      if (this.master.isCurrent(sealed)) return 0;
      row.sealed = this.master.seal(this.master.open(sealed, sealContext), sealContext);
      return 1;
    });
  }
}
