import type { KeyObject } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { type ChangeView, Changes, SharedRead } from '#libs/platform/database';
import { ReadinessChecks } from '#libs/platform/monitoring';

import { KeyRing } from './key-ring.js';
import { keysTopic, SigningKeysRepository } from './signing-keys.repository.js';

/** An unknown key id may be of a key made a moment ago; strangers must not make us look for each of theirs. */
const reloads = { limit: 5, windowMs: 10_000 };

/** The keys that sign and verify, in memory; the same on every replica. */
@Injectable()
export class SigningKeys implements OnModuleInit {
  #ring = new KeyRing([]);
  #view: ChangeView | undefined;
  readonly #reads = new SharedRead(() => this.#read());
  #window = { startedAtMs: -Infinity, count: 0 };

  constructor(
    private readonly repository: SigningKeysRepository,
    private readonly changes: Changes,
    private readonly em: SqlEntityManager,
    private readonly checks: ReadinessChecks,
  ) {}

  onModuleInit(): void {
    const view = this.changes.subscribe(keysTopic, { catchUp: () => this.reload() });
    this.#view = view;
    this.checks.register('keys', () => this.#ring.signing(Date.now()) !== undefined && view.isReady);
  }

  get ring(): KeyRing {
    return this.#ring;
  }

  /** Makes the first key if there is none. @throws WrongMasterKeyError when the keys cannot be opened */
  async ensure(): Promise<void> {
    await this.reload();
    if (this.#ring.keys.length > 0) return;
    await this.em.fork().transactional(async (em) => {
      await this.repository.lock(em);
      if ((await this.repository.findTrusted(em)).length > 0) return;
      await this.repository.add(em, new Date());
      await this.repository.announce(em);
    });
    await this.reload();
  }

  /** The key of a token's `kid`; looks once more, within bounds, when it is not known. */
  async find(id: string): Promise<KeyObject | undefined> {
    const known = this.#ring.verifying(id);
    if (known || !this.#mayReload()) return known;
    await this.reload();
    return this.#ring.verifying(id);
  }

  reload(): Promise<void> {
    return this.#reads.run();
  }

  /** Before a key is used to sign: one may have been retired without this replica's having read so. */
  async makeFresh(): Promise<void> {
    if (this.#view?.isFresh !== true) await this.reload();
  }

  async #read(): Promise<void> {
    this.#ring = new KeyRing(await this.repository.findTrusted());
  }

  #mayReload(): boolean {
    const now = performance.now();
    if (now - this.#window.startedAtMs > reloads.windowMs) this.#window = { startedAtMs: now, count: 0 };
    return ++this.#window.count <= reloads.limit;
  }
}
