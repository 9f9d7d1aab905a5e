import type { IncomingMessage } from 'node:http';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { ReplicaNotifications, type ChangeView, Sweeper } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { type Upload, UploadReader } from '#libs/platform/http';
import { overloaded } from '#libs/platform/queues';

import { sniffFormat } from './image-format.js';
import { ObjectStore } from './object-store.js';
import { PictureCache } from './picture-cache.js';
import { PictureMaker, type Pictures, type PictureSize, pictureSizes } from './picture-maker.js';
import { PicturesRepository } from './pictures.repository.js';

/** Uploads held in memory at a time, in files of the largest size. */
const uploadsAtOnce = 6;
const cacheMaxAgeMs = 60_000;
/** The topic of the notifications that the database sends of removed pictures (migration 0018). */
const topic = 'avatar';

/**
 * Takes pictures in, stores each once under its hash, serves it and removes it with its last user.
 * The bytes are in the table, or in an object store when one is configured.
 */
@Injectable()
export class PicturesService implements OnModuleInit {
  readonly #logger = new Logger('PicturesService');
  readonly #uploads: UploadReader;
  readonly #cache: PictureCache;
  #view: ChangeView | undefined;
  /** Counts removals: bytes read while a notification arrived may be the removed ones. */
  #removals = 0;

  constructor(
    private readonly maker: PictureMaker,
    private readonly pictures: PicturesRepository,
    private readonly objects: ObjectStore,
    private readonly sweeper: Sweeper,
    private readonly notifications: ReplicaNotifications,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#uploads = new UploadReader(config.AVATAR_MAX_BYTES * uploadsAtOnce);
    this.#cache = new PictureCache({ bytes: config.AVATAR_CACHE_BYTES, maxAgeMs: cacheMaxAgeMs });
  }

  onModuleInit(): void {
    this.sweeper.register('avatars', () => this.pictures.removeForgotten());
    this.sweeper.register('avatar_deletions', () => this.#removeExternal());
    this.#view = this.notifications.subscribe(topic, {
      onChange: (hash) => this.#forget(hash),
      // removals while nobody listened are unknown
      catchUp: () => Promise.resolve(this.#forgetAll()),
    });
  }

  /**
   * Reads a form whose file is `field`, and counts its bytes until `work` has ended. All forms
   * share one budget of memory.
   * @throws AppError `overloaded`, `unsupported-image`, what `UploadReader.read` throws
   */
  receive<T>(form: IncomingMessage, field: string, work: (upload: Upload) => Promise<T>): Promise<T> {
    if (this.maker.queue.isFull) throw overloaded;
    const rule = { field, limitBytes: this.config.AVATAR_MAX_BYTES, accepts: assertSupported };
    return this.#uploads.read(form, rule, work);
  }

  /** @throws AppError `unreadable-image`, `image-too-large`, `overloaded` */
  make(file: Buffer, signal?: AbortSignal): Promise<Pictures> {
    return this.maker.make(file, signal);
  }

  /** Keeps pictures for 10 minutes, until they are linked. @throws AppError `unavailable` */
  async keep(pictures: Pictures): Promise<void> {
    // the row first: after a failure in between, the sweep still knows of the objects
    const isKept = await this.pictures.keep(pictures, this.objects.isChosen ? 'external' : 'here');
    if (!isKept && this.objects.isChosen) await this.objects.put(pictures);
  }

  /**
   * Links kept pictures to an owner, in the transaction that changes the owner from `from` to `to`.
   * @throws PicturesGone when their last owner has given them up since they were kept
   */
  async link(em: SqlEntityManager, from: Buffer | undefined, to: Buffer): Promise<void> {
    if (!(await this.pictures.link(em, from, to))) throw new PicturesGone();
  }

  /**
   * Ends the showing of a picture that an owner has given up: once this resolves, no replica serves
   * it from memory. If somebody else has it, it is read anew.
   */
  async release(hash: Buffer): Promise<void> {
    this.#forget(hash.toString('hex'));
    await this.notifications.othersHaveHeard();
    if (!this.objects.isChosen) return;
    this.#removeExternal().catch((error: unknown) => {
      const event = 'objects of removed avatars are still there; the next sweep tries again';
      this.#logger.warn({ err: error, event });
    });
  }

  /** A picture from memory, while this replica hears of removals; `key` is its file name. */
  cached(key: string): Buffer | undefined {
    // hot path; the embedded database sends no notifications, so that its process asks the table
    const hearsRemovals = this.#view?.isFresh === true && !this.notifications.isEmbedded;
    return hearsRemovals ? this.#cache.get(key, Date.now()) : undefined;
  }

  /** @throws AppError `avatar-not-found`, `unavailable` */
  async load(key: string, hash: Buffer, size: PictureSize): Promise<Buffer> {
    const removals = this.#removals;
    const cached = this.#cache.get(key, Date.now());
    if (cached && (await this.pictures.isLinked(hash))) return cached;
    const found = await this.pictures.findFile(hash, size);
    const bytes = found === 'external' ? await this.objects.read(hash, size) : found?.bytes;
    if (!bytes) throw new AppError('avatar-not-found');
    if (removals === this.#removals) this.#cache.set(key, bytes, Date.now());
    return bytes;
  }

  #forget(hash: string): void {
    this.#removals++;
    for (const size of pictureSizes) this.#cache.delete(`${hash}-${size}`);
  }

  #forgetAll(): void {
    this.#removals++;
    this.#cache.clear();
  }

  #removeExternal(): Promise<number> {
    return this.pictures.removeExternal((hash) => this.objects.remove(hash));
  }
}

/** The pictures were removed between being kept and being linked: keep them again. */
export class PicturesGone extends AppError {
  constructor() {
    super('unavailable', { headers: { 'retry-after': '1' } });
  }
}

function assertSupported(head: Buffer): void {
  if (!sniffFormat(head)) throw new AppError('unsupported-image');
}
