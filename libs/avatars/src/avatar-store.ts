import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { Sweeper } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import type { AvatarSize, Pictures } from './avatar.js';
import { AvatarsRepository } from './avatars.repository.js';
import { PictureCache } from './picture-cache.js';
import { ObjectStore } from './storage/object-store.js';

/** So long a replica may go on serving from memory what has been removed. */
const cacheMaxAgeMs = 60_000;

/** Keeps pictures once however many users have them: in the table, or in an object store when that is chosen. */
@Injectable()
export class AvatarStore implements OnModuleInit {
  readonly #logger = new Logger('AvatarStore');
  readonly #cache: PictureCache;

  constructor(
    private readonly avatars: AvatarsRepository,
    private readonly objects: ObjectStore,
    private readonly sweeper: Sweeper,
    @Inject(CONFIG) config: Config,
  ) {
    this.#cache = new PictureCache({ bytes: config.AVATAR_CACHE_BYTES, maxAgeMs: cacheMaxAgeMs });
  }

  onModuleInit(): void {
    this.sweeper.register('avatars', () => this.avatars.removeForgotten());
    this.sweeper.register('avatar_deletions', () => this.#removeExternal());
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

  /** A picture from memory, if it is there; `key` is the name of its file. */
  cached(key: string): Buffer | undefined {
    return this.#cache.get(key, Date.now());
  }

  /** @throws AppError `avatar-not-found`, `unavailable` */
  async load(key: string, hash: Buffer, size: AvatarSize): Promise<Buffer> {
    const found = await this.avatars.findFile(hash, size);
    const bytes = found === 'external' ? await this.objects.read(hash, size) : found?.bytes;
    if (!bytes) throw new AppError('avatar-not-found');
    this.#cache.set(key, bytes, Date.now());
    return bytes;
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

  #removeExternal(): Promise<number> {
    return this.avatars.removeExternal((hash) => this.objects.remove(hash));
  }
}

/** The pictures were removed between being kept and being linked: keep them again. */
export class PicturesGone extends Error {
  override readonly name = 'PicturesGone';
}
