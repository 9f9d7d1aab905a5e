import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { Public } from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';
import { isKnownTag } from '#libs/users';

import { AvatarStore } from './avatar-store.js';
import { hashParamSchema, parseFile, sizeParamSchema } from './avatars.schema.js';

const webp = { 'image/webp': { schema: { type: 'string' as const, format: 'binary' } } };
/**
 * The name says the content, so a browser can keep it for ever. Caches that others share ask again after an hour, so that
 * a removed picture is gone from them too. Any page may show it.
 */
const pictureHeaders = {
  'content-type': 'image/webp',
  'cache-control': 'public, max-age=31536000, s-maxage=3600, immutable',
  'cross-origin-resource-policy': 'cross-origin',
};

/** The pictures themselves. Their names cannot be guessed, so whoever has one may see it. */
@ApiTags('avatars')
@Controller('v1/avatars')
export class AvatarsController {
  constructor(private readonly store: AvatarStore) {}

  @Get(':hash-:size.webp')
  @Public()
  @ApiOperation({ operationId: 'getAvatar', summary: 'A picture; its content never changes under its name' })
  @ApiResponse({ status: 200, content: webp, description: 'The picture; `ETag`' })
  @ApiResponse({ status: 304, description: 'The version in `If-None-Match` is the only one there is' })
  @ApiProblems('avatar-not-found')
  async get(
    @Param('hash', { schema: hashParamSchema }) hash: string,
    @Param('size', { schema: sizeParamSchema }) size: string,
    @Headers('if-none-match') known: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const key = `${hash}-${size}`;
    let bytes = this.store.cached(key);
    if (!bytes) {
      const file = parseFile(hash, size);
      bytes = await this.store.load(key, file.hash, file.size);
    }
    const etag = `"${key}"`;
    void reply.headers(pictureHeaders).header('etag', etag);
    if (isKnownTag(known, etag)) void reply.code(304).send();
    else void reply.send(bytes);
  }
}
