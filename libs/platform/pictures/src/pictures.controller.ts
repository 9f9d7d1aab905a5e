import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { Public } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { ApiProblems, isKnownTag } from '#libs/platform/http';

import { pictureSizes } from './picture-maker.js';
import { PicturesService } from './pictures.service.js';

const hashSchema = z.string().meta({ description: 'From `avatar.url` of a user', pattern: '^[0-9a-f]{64}$' });
const sizeSchema = z.string().meta({ description: '64, 256 or 512', enum: pictureSizes.map(String) });
const webp = { 'image/webp': { schema: { type: 'string' as const, format: 'binary' } } };
/**
 * Browsers keep a picture for ever, since its name is the hash of its content. Shared caches ask
 * again after an hour, so that a removed picture is gone from them too. Any page may show it.
 */
const pictureHeaders = {
  'content-type': 'image/webp',
  'cache-control': 'public, max-age=31536000, s-maxage=3600, immutable',
  'cross-origin-resource-policy': 'cross-origin',
};

/** Serves pictures by hash to anybody: a hash cannot be guessed. */
@ApiTags('avatars')
@Controller('v1/avatars')
export class PicturesController {
  constructor(private readonly pictures: PicturesService) {}

  @Get(':hash-:size.webp')
  @Public()
  @ApiOperation({ operationId: 'getAvatar', summary: 'A picture; its content never changes under its name' })
  @ApiResponse({ status: 200, content: webp, description: 'The picture; `ETag`' })
  @ApiResponse({ status: 304, description: 'The version in `If-None-Match` is the only one there is' })
  @ApiProblems('avatar-not-found')
  async get(
    @Param('hash', { schema: hashSchema }) hash: string,
    @Param('size', { schema: sizeSchema }) size: string,
    @Headers('if-none-match') known: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const key = `${hash}-${size}`;
    const bytes = this.pictures.cached(key) ?? (await this.#load(key, hash, size));
    const etag = `"${key}"`;
    void reply.headers(pictureHeaders).header('etag', etag);
    if (isKnownTag(known, etag)) void reply.code(304).send();
    else void reply.send(bytes);
  }

  /** @throws AppError `avatar-not-found` also for a name that no picture can have */
  #load(key: string, hash: string, size: string): Promise<Buffer> {
    const known = pictureSizes.find((candidate) => String(candidate) === size);
    if (known === undefined || !/^[0-9a-f]{64}$/.test(hash)) throw new AppError('avatar-not-found');
    return this.pictures.load(key, Buffer.from(hash, 'hex'), known);
  }
}
