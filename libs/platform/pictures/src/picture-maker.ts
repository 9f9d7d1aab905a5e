import { createHash } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';
import { usableCores, WorkQueue } from '#libs/platform/queues';

import { headBytes, mendFile, pixelShareOf, sniffFormat } from './image-format.js';

/** Edges in pixels of the squares that are made of every picture. */
export const pictureSizes = [64, 256, 512] as const;
export type PictureSize = (typeof pictureSizes)[number];

/** The files of one picture by size; `hash` is the SHA-256 over all of them, smallest first. */
export type Pictures = { readonly hash: Buffer; readonly files: ReadonlyMap<PictureSize, Buffer> };

/** Decoding takes a thread of libuv's pool, as hashing does (`apps/api/src/main.ts`). */
const coresPerPicture = 4;
const queueLength = 24;
const timeoutSeconds = 5;
const quality = 80;
const largest = 512;
/** libvips has loaders for many more formats; all others are blocked. */
const loaders = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((name) => `VipsForeignLoad${name}Buffer`);

type SharpModule = (typeof import('sharp'))['default'];

/**
 * Makes square WebP pictures of an image: upright, cropped to the middle, in sRGB, without any
 * metadata. The queue is not the one of password hashes; the pixel limit bounds the memory.
 */
@Injectable()
export class PictureMaker {
  readonly queue = new WorkQueue({
    concurrency: Math.ceil(usableCores() / coresPerPicture),
    queue: queueLength,
  });
  #sharp: Promise<SharpModule> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /**
   * @throws AppError `unsupported-image`, `unreadable-image`, `image-too-large`, `overloaded`
   * @throws the signal's reason when it aborts
   */
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
    const options = { failOn: mended.failOn, limitInputPixels: limit, sequentialRead: true, pages: 1 };
    const { data, info } = await sharp(mended.file, options)
      .autoOrient()
      .resize(largest, largest, { fit: 'cover', position: 'centre' })
      .timeout({ seconds: timeoutSeconds })
      .raw()
      .toBuffer({ resolveWithObject: true })
      .catch((cause: unknown) => rethrowImageError(cause, limit));
    const raw = { raw: { width: info.width, height: info.height, channels: info.channels } };
    // one after the other: in parallel each would take a thread of the pool
    const files = new Map<PictureSize, Buffer>();
    for (const size of pictureSizes) {
      files.set(size, await sharp(data, raw).resize(size, size).webp({ quality }).toBuffer());
    }
    const digest = createHash('sha256');
    for (const bytes of files.values()) digest.update(bytes);
    return { hash: digest.digest(), files };
  }
}

/** Loaded when first needed: 150 ms and 20 MB that a service without uploads can do without. */
async function loadSharp(): Promise<SharpModule> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  sharp.concurrency(1);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: [...loaders, 'VipsForeignLoadRaw'] });
  return sharp;
}

function rethrowImageError(cause: unknown, limit: number): never {
  const text = cause instanceof Error ? cause.message : '';
  if (/exceeds pixel limit/i.test(text)) {
    const detail = `A picture of this kind may have at most ${limit} pixels (width × height; set by AVATAR_MAX_PIXELS).`;
    throw new AppError('image-too-large', { detail, cause });
  }
  throw new AppError('unreadable-image', { cause });
}
