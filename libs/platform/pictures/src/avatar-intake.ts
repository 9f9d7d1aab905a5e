import type { IncomingMessage } from 'node:http';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';
import { type Upload, UploadReader } from '#libs/platform/http';
import { overloaded } from '#libs/platform/queues';
import type { RegistrationPicture } from '#libs/users';

import type { Pictures } from './avatar.js';
import { AvatarStore, PicturesGone } from './avatar-store.js';
import { PictureMaker } from './image/picture-maker.js';
import { sniffFormat } from './image/sniff-format.js';

/** Uploads in memory at a time, in files of the largest size. */
const uploadsAtOnce = 6;

/** Takes in the pictures that people send, wherever they send them to: one budget of memory for all. */
@Injectable()
export class AvatarIntake implements RegistrationPicture {
  readonly #uploads: UploadReader;

  constructor(
    private readonly maker: PictureMaker,
    private readonly store: AvatarStore,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#uploads = new UploadReader(config.AVATAR_MAX_BYTES * uploadsAtOnce);
  }

  /** @throws AppError `overloaded`, `unsupported-image`, what a bad form is told */
  receive<T>(form: IncomingMessage, work: (upload: Upload) => Promise<T>, field = 'avatar'): Promise<T> {
    if (this.maker.queue.isFull) throw overloaded;
    const rule = { field, limitBytes: this.config.AVATAR_MAX_BYTES, accepts: assertSupported };
    return this.#uploads.read(form, rule, work);
  }

  /** @throws AppError `unreadable-image`, `image-too-large`, `overloaded` */
  make(file: Buffer, signal?: AbortSignal): Promise<Pictures> {
    return this.maker.make(file, signal);
  }

  /** @throws AppError as `make` */
  async keep(file: Buffer, signal?: AbortSignal): Promise<Buffer> {
    const pictures = await this.make(file, signal);
    await this.store.keep(pictures);
    return pictures.hash;
  }

  /** @throws AppError `unavailable` in the rare case that the last user of the same picture has just left it */
  async link(em: SqlEntityManager, hash: Buffer): Promise<void> {
    await this.store.link(em, undefined, hash).catch((cause: unknown) => {
      if (!(cause instanceof PicturesGone)) throw cause;
      throw new AppError('unavailable', { cause, headers: { 'retry-after': '1' } });
    });
  }
}

function assertSupported(head: Buffer): void {
  if (!sniffFormat(head)) throw new AppError('unsupported-image');
}
