import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { MasterKey } from '#libs/platform/crypto';

import { SealedKeyEntity } from './sealed-key.entity.js';

/**
 * The service's own keys, one row each, sealed by the master key. What must stay the same while the
 * master key changes is derived from one of these, never from the master key itself.
 */
@Injectable()
export class SealedKeysRepository {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly master: MasterKey,
  ) {}

  /**
   * The key of a name, made when there is none. A row that does not open stays as it is: what was
   * made with its key would be lost.
   * @throws WrongMasterKeyError
   */
  async findOrMake(name: string, make: () => Buffer): Promise<Buffer> {
    const em = this.em.fork();
    const known = await em.findOne(SealedKeyEntity, { name });
    if (known) return this.#open(known);
    const sealed = this.master.seal(make(), contextOf(name));
    // replicas that start at once agree on the one that came first
    await em.upsert(SealedKeyEntity, { name, sealed }, { onConflictAction: 'ignore' });
    return this.#open(await em.fork().findOneOrFail(SealedKeyEntity, { name }));
  }

  /** Seals under today's master key what is sealed under the previous one. @returns how many */
  async reseal(): Promise<number> {
    return this.em.fork().transactional(async (em) => {
      const rows = await em.find(SealedKeyEntity, {});
      const outdated = rows.filter(({ sealed }) => !this.master.isCurrent(Buffer.from(sealed)));
      for (const row of outdated) row.sealed = this.master.seal(this.#open(row), contextOf(row.name));
      return outdated.length;
    });
  }

  #open({ name, sealed }: { readonly name: string; readonly sealed: Uint8Array }): Buffer {
    return this.master.open(Buffer.from(sealed), contextOf(name));
  }
}

const contextOf = (name: string): string => `sealed-key:${name}`;
