import { setTimeout as sleep } from 'node:timers/promises';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { ReplicaNotifications, type ChangeView, Sweeper } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { avatarSizes } from '#libs/users';

import type { AvatarSize, Pictures } from './avatar.js';
import { AvatarsRepository } from './avatars.repository.js';
import { PictureCache } from './picture-cache.js';
import { ObjectStore } from './storage/object-store.js';

/** Pictures that are no longer asked for need not stay in memory. */
const cacheMaxAgeMs = 60_000;
/** What the database calls its notices of removed pictures (migration 0018). */
const topic = 'avatar';
/** What a notice takes to reach the other replicas, as for revocations. */
const propagationMs = 20;

/** Keeps pictures once however many users have them: in the table, or in an object store when that is chosen. */
@Injectable()
export class AvatarStore implements OnModuleInit {
  readonly #logger = new Logger('AvatarStore');
  readonly #cache: PictureCache;
  #view: ChangeView | undefined;
  /** How many removals this replica has heard of: what was read while one arrived may be what was removed. */
  #removals = 0;

  constructor(
    private readonly avatars: AvatarsRepository,
    private readonly objects: ObjectStore,
    private readonly sweeper: Sweeper,
    private readonly changes: ReplicaNotifications,
    @Inject(CONFIG) config: Config,
  ) {
    this.#cache = new PictureCache({ bytes: config.AVATAR_CACHE_BYTES, maxAgeMs: cacheMaxAgeMs });
  }

  onModuleInit(): void {
    this.sweeper.register('avatars', () => this.avatars.removeForgotten());
    this.sweeper.register('avatar_deletions', () => this.#removeExternal());
    this.#view = this.changes.subscribe(topic, {
      onChange: (hash) => this.#forget(hash),
      // what was removed while nobody listened is not known
      catchUp: () => Promise.resolve(this.#forgetAll()),
    });
  }

  /** The row comes before the objects, so that a failure in between leaves nothing that nobody knows of. */
  async keep(pictures: Pictures): Promise<void> {
    const isKept = await this.avatars.keep(pictures, this.objects.isChosen ? 'external' : 'here');
    if (!isKept && this.objects.isChosen) await this.objects.put(pictures);
  }

  /**
   * Gives kept pictures to a user, in the transaction that changes it.
   * @throws PicturesGone when their last user has let go of them since they were kept
   */
  async link(em: SqlEntityManager, from: Buffer | undefined, to: Buffer): Promise<void> {
    if (!(await this.avatars.link(em, from, to))) throw new PicturesGone();
  }

  /** A picture from memory, if it is there and would be gone had it been removed; `key` is the name of its file. */
  cached(key: string): Buffer | undefined {
    return this.#hearsRemovals ? this.#cache.get(key, Date.now()) : undefined;
  }

  /** @throws AppError `avatar-not-found`, `unavailable` */
  async load(key: string, hash: Buffer, size: AvatarSize): Promise<Buffer> {
    const removals = this.#removals;
    const kept = this.#cache.get(key, Date.now());
    if (kept && (await this.avatars.isLinked(hash))) return kept;
    const found = await this.avatars.findFile(hash, size);
    const bytes = found === 'external' ? await this.objects.read(hash, size) : found?.bytes;
    if (!bytes) throw new AppError('avatar-not-found');
    if (removals === this.#removals) this.#cache.set(key, bytes, Date.now());
    return bytes;
  }

  /**
   * Takes a picture that a user has given up out of the memory of every replica, before the user is told that it is gone.
   * If somebody else has it, it is read once more.
   */
  async forget(hash: Buffer): Promise<void> {
    this.#forget(hash.toString('hex'));
    if (!this.changes.isEmbedded) await sleep(propagationMs);
  }

  /** Objects that nobody has any more go now; what fails goes with the next sweep. */
  removeSoon(): void {
    if (!this.objects.isChosen) return;
    this.#removeExternal().catch((error: unknown) => {
      this.#logger.warn({
        err: error,
        event: 'objects of removed avatars are still there; the next sweep tries again',
      });
    });
  }

  /** The embedded database tells nobody of what it removes: its one process asks it. */
  get #hearsRemovals(): boolean {
    return this.#view?.isFresh === true && !this.changes.isEmbedded;
  }

  #forget(hash: string): void {
    this.#removals++;
    for (const size of avatarSizes) this.#cache.delete(`${hash}-${size}`);
  }

  #forgetAll(): void {
    this.#removals++;
    this.#cache.clear();
  }

  #removeExternal(): Promise<number> {
    return this.avatars.removeExternal((hash) => this.objects.remove(hash));
  }
}

/** The pictures were removed between being kept and being linked: keep them again. */
export class PicturesGone extends Error {
  override readonly name = 'PicturesGone';
}
