import type { KeyObject } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Changes } from '#libs/platform/database';

import { KeyRing } from './key-ring.js';
import { SigningKeysRepository } from './signing-keys.repository.js';

const topic = 'signing-keys';
/** An unknown key id may be a key that was made a moment ago; strangers must not make us look for each of theirs. */
const reloadEveryMs = 5_000;

/** The keys that sign and verify, in memory; the same on every replica. */
@Injectable()
export class SigningKeys implements OnModuleInit {
  #ring = new KeyRing([]);
  #reloadedAtMs = -Infinity;
  #reloading: Promise<void> | undefined;

  constructor(
    private readonly repository: SigningKeysRepository,
    private readonly changes: Changes,
    private readonly em: SqlEntityManager,
  ) {}

  onModuleInit(): void {
    this.changes.subscribe(topic, {
      onChange: () => void this.#reload().catch(() => undefined),
      catchUp: () => this.#reload(),
    });
  }

  get ring(): KeyRing {
    return this.#ring;
  }

  /** Makes the first key if there is none. @throws WrongMasterKeyError when the keys cannot be opened */
  async ensure(): Promise<void> {
    await this.#reload();
    if (this.#ring.keys.length > 0) return;
    await this.em.fork().transactional(async (em) => {
      await this.repository.lock(em);
      if ((await this.repository.findTrusted(em)).length > 0) return;
      await this.repository.add(em, new Date());
      await this.changes.publish(em, topic, 'added');
    });
    await this.#reload();
  }

  /** The key of a token's `kid`; looks once more, at most every 5 s, when it is not known. */
  async find(id: string): Promise<KeyObject | undefined> {
    const known = this.#ring.verifying(id);
    if (known || performance.now() - this.#reloadedAtMs < reloadEveryMs) return known;
    await this.#reload();
    return this.#ring.verifying(id);
  }

  #reload(): Promise<void> {
    this.#reloading ??= this.repository
      .findTrusted()
      .then((keys) => {
        this.#ring = new KeyRing(keys);
        this.#reloadedAtMs = performance.now();
      })
      .finally(() => {
        this.#reloading = undefined;
      });
    return this.#reloading;
  }
}
