import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';

import { Inject, Injectable } from '@nestjs/common';
import type { Sharp, SharpOptions } from 'sharp';

import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';
import { WorkQueue } from '#libs/platform/queues';
import { avatarSizes } from '#libs/users';

import type { AvatarSize, Pictures } from '../avatar.js';
import { mendFile } from './mend-file.js';
import { pixelShareOf } from './pixel-share.js';
import { headBytes, sniffFormat } from './sniff-format.js';

/** Reading a picture takes a thread of the pool that password hashes use too (`apps/api/src/main.ts`). */
const coresPerPicture = 4;
const queueLength = 24;
const timeoutSeconds = 5;
const quality = 80;
const largest = 512;
/** libvips can read many more formats; whatever else it is given, it must not try. */
const loaders = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((name) => `VipsForeignLoad${name}Buffer`);

type SharpModule = (typeof import('sharp'))['default'];

/**
 * Makes square WebP pictures of what people send: upright, cropped to the middle, in sRGB, with nothing in them but
 * pixels. So many run at a time and so many wait, apart from the queue for password hashes; memory is bounded by the
 * limit on pixels.
 */
@Injectable()
export class PictureMaker {
  readonly queue = new WorkQueue({
    concurrency: Math.ceil(availableParallelism() / coresPerPicture),
    queue: queueLength,
  });
  #sharp: Promise<SharpModule> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** @throws AppError `unsupported-image`, `unreadable-image`, `image-too-large`, `overloaded`; the signal's reason when it aborts */
  make(file: Buffer, signal?: AbortSignal): Promise<Pictures> {
    return this.queue.run(
      async () => {
        signal?.throwIfAborted();
        this.#sharp ??= loadSharp();
        return this.#make(await this.#sharp, file);
      },
      { signal },
    );
  }

  async #make(sharp: SharpModule, file: Buffer): Promise<Pictures> {
    const format = sniffFormat(file.subarray(0, headBytes));
    if (format === undefined) throw new AppError('unsupported-image');
    const limit = Math.floor(this.config.AVATAR_MAX_PIXELS * pixelShareOf(file, format));
    const mended = mendFile(file, format);
    const { data, info } = await sharp(mended.file, {
      failOn: mended.failOn,
      limitInputPixels: limit,
      sequentialRead: true,
      pages: 1,
    })
      .autoOrient()
      .resize(largest, largest, { fit: 'cover', position: 'centre' })
      .timeout({ seconds: timeoutSeconds })
      .raw()
      .toBuffer({ resolveWithObject: true })
      .catch((cause: unknown) => rethrowImageError(cause, limit));
    const raw = { raw: { width: info.width, height: info.height, channels: info.channels } };
    // one after the other: side by side each would take a thread of the pool
    const files = new Map<AvatarSize, Buffer>();
    for (const size of avatarSizes) files.set(size, await toWebp(sharp, data, raw, size));
    const digest = createHash('sha256');
    for (const bytes of files.values()) digest.update(bytes);
    return { hash: digest.digest(), files };
  }
}

/** 150 ms and 20 MB that a service without uploads need not spend. */
async function loadSharp(): Promise<SharpModule> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  sharp.concurrency(1);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: [...loaders, 'VipsForeignLoadRaw'] });
  return sharp;
}

function toWebp(sharp: SharpModule, pixels: Buffer, options: SharpOptions, size: number): Promise<Buffer> {
  const picture: Sharp = sharp(pixels, options);
  return picture.resize(size, size).webp({ quality }).toBuffer();
}

function rethrowImageError(cause: unknown, limit: number): never {
  const text = cause instanceof Error ? cause.message : '';
  if (/exceeds pixel limit/i.test(text)) {
    const detail = `A picture of this kind may have at most ${limit} pixels (width × height; set by AVATAR_MAX_PIXELS).`;
    throw new AppError('image-too-large', { detail, cause });
  }
  throw new AppError('unreadable-image', { cause });
}
