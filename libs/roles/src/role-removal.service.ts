import { setTimeout as sleep } from 'node:timers/promises';

import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Sweeper } from '#libs/platform/database';

import { beforeFirstUser, RoleHolders, type TakenBatch } from './role-holders.js';
import { RoleRegistry } from './role-registry.js';
import { RolesRepository } from './roles.repository.js';

const batchUsers = 1_000;

/**
 * Takes removed roles from those who held them, in batches, so that no user is locked for long;
 * then the name is free. Replicas may do it side by side.
 */
@Injectable()
export class RoleRemoval implements OnModuleInit {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly roles: RolesRepository,
    private readonly registry: RoleRegistry,
    private readonly holders: RoleHolders,
    private readonly sweeper: Sweeper,
  ) {}

  onModuleInit(): void {
    this.sweeper.register('removed roles', (stopping) => this.#takeAll(stopping));
  }

  /** From the first 1,000 holders. Where there are more, the sweeper takes it from the others. */
  async takeFirst(name: string): Promise<void> {
    const { count } = await this.#takeBatch(name, beforeFirstUser);
    if (count < batchUsers) await this.#setFree(name);
  }

  async #takeAll(stopping: AbortSignal): Promise<number> {
    let total = 0;
    for (const name of await this.roles.listRemoved()) {
      if (!stopping.aborted) total += await this.#take(name, stopping);
    }
    return total;
  }

  /** Rests after each batch as long as it took. @returns how many users held the role */
  async #take(name: string, stopping: AbortSignal): Promise<number> {
    let after = beforeFirstUser;
    for (let total = 0; ;) {
      const startedAt = performance.now();
      const { count, last } = await this.#takeBatch(name, after);
      total += count;
      if (stopping.aborted) return total;
      if (count < batchUsers || last === null) {
        await this.#setFree(name);
        return total;
      }
      after = last;
      await sleep(performance.now() - startedAt);
    }
  }

  /** Roles stay as they are meanwhile: their change is checked against what users hold. */
  #takeBatch(name: string, after: string): Promise<TakenBatch> {
    return this.em.fork().transactional(async (em) => {
      await this.roles.lockUnchanged(em);
      return this.holders.take(em, name, { after, limit: batchUsers });
    });
  }

  /** Unless somebody who was being changed holds it still: then the next sweep does it. */
  async #setFree(name: string): Promise<void> {
    await this.em.fork().transactional(async (em) => {
      if (await this.holders.isHeld(em, name)) return;
      if (await this.roles.deleteRemoved(em, name)) await this.registry.announce(em);
    });
    await this.registry.reload();
  }
}
