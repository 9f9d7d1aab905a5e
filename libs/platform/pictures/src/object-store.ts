import type { S3Client } from '@aws-sdk/client-s3';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';

import { type Pictures, type PictureSize, pictureSizes } from './picture-maker.js';

type Sdk = typeof import('@aws-sdk/client-s3');
type Opened = { readonly sdk: Sdk; readonly client: S3Client };

const connectTimeoutMs = 2_000;
const requestTimeoutMs = 5_000;
const attempts = 3;
const objectHeaders = { ContentType: 'image/webp', CacheControl: 'public, max-age=31536000, immutable' };

/** Pictures in an S3-compatible bucket. The SDK is loaded when first needed. */
@Injectable()
export class ObjectStore implements OnModuleDestroy {
  #opened: Promise<Opened> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Whether new pictures go there. */
  get isChosen(): boolean {
    return this.config.AVATAR_STORE === 's3';
  }

  /** @throws AppError `unavailable` */
  async put({ hash, files }: Pictures): Promise<void> {
    await this.#call(({ sdk, client }, Bucket) =>
      Promise.all(
        [...files].map(([size, Body]) => {
          const object = { Bucket, Key: this.#key(hash, size), Body, ContentLength: Body.length, ...objectHeaders };
          return client.send(new sdk.PutObjectCommand(object));
        }),
      ),
    );
  }

  /** @throws AppError `unavailable` */
  read(hash: Buffer, size: PictureSize): Promise<Buffer | undefined> {
    return this.#call(async ({ sdk, client }, Bucket) => {
      try {
        const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket, Key: this.#key(hash, size) }));
        return Body ? Buffer.from(await Body.transformToByteArray()) : undefined;
      } catch (error) {
        if (error instanceof sdk.NoSuchKey) return undefined;
        throw error;
      }
    });
  }

  /** Idempotent. @throws AppError `unavailable` */
  remove(hash: Buffer): Promise<void> {
    return this.#call(async ({ sdk, client }, Bucket) => {
      for (const size of pictureSizes) {
        await client.send(new sdk.DeleteObjectCommand({ Bucket, Key: this.#key(hash, size) }));
      }
    });
  }

  async onModuleDestroy(): Promise<void> {
    (await this.#opened)?.client.destroy();
  }

  async #call<T>(work: (opened: Opened, bucket: string) => Promise<T>): Promise<T> {
    const { AVATAR_S3_BUCKET: bucket } = this.config;
    if (bucket === undefined) {
      throw new AppError('unavailable', {
        cause: new Error('AVATAR_S3_BUCKET is not set, but pictures are in a bucket'),
        headers: { 'retry-after': '60' },
      });
    }
    try {
      this.#opened ??= this.#open();
      return await work(await this.#opened, bucket);
    } catch (cause) {
      throw new AppError('unavailable', { cause, headers: { 'retry-after': '2' } });
    }
  }

  async #open(): Promise<Opened> {
    const sdk = await import('@aws-sdk/client-s3');
    const { AVATAR_S3_ENDPOINT: endpoint } = this.config;
    const { AVATAR_S3_ACCESS_KEY_ID: accessKeyId, AVATAR_S3_SECRET_ACCESS_KEY: secretAccessKey } = this.config;
    const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined;
    const client = new sdk.S3Client({
      region: this.config.AVATAR_S3_REGION,
      forcePathStyle: this.config.AVATAR_S3_PATH_STYLE,
      maxAttempts: attempts,
      requestHandler: { connectionTimeout: connectTimeoutMs, requestTimeout: requestTimeoutMs },
      // stores other than AWS may not know the checksums that newer SDKs add by default
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint !== undefined && { endpoint }),
      ...(hasKeys && { credentials: { accessKeyId, secretAccessKey } }),
    });
    return { sdk, client };
  }

  #key(hash: Buffer, size: PictureSize): string {
    return `${this.config.AVATAR_S3_PREFIX}${hash.toString('hex')}-${size}.webp`;
  }
}
