import { createHash } from 'node:crypto';

import { Controller, Delete, Get, Headers, Param, Put, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import { Caller, Source, type RequestSource, type Principal, Requires } from '#libs/platform/access';
import { ApiProblems, ClientGone, isKnownTag, multipartMediaType } from '#libs/platform/http';
import { pictureSizes } from '#libs/platform/pictures';
import { RateClass } from '#libs/security/rate-limits';

import { withTag } from '../account/user-view.js';
import { userIdSchema, userSchema, type UserView } from '../account/users.schema.js';
import { UserAvatarService } from './user-avatar.service.js';

const avatarQuerySchema = z.strictObject({
  size: z.enum(pictureSizes.map(String)).default('256').meta({ description: 'Edge in pixels' }),
  default: z.enum(['initials']).optional().meta({ description: 'What to answer where no picture was set' }),
});
type AvatarQuery = z.infer<typeof avatarQuerySchema>;

const form = {
  type: 'object' as const,
  required: ['file' as string],
  additionalProperties: false,
  properties: { file: { type: 'string' as const, format: 'binary', description: 'PNG, JPEG, WebP, GIF or AVIF' } },
};

const svg = { 'image/svg+xml': { schema: { type: 'string' as const } } };
/** Revalidated each time, since the initials change with the name; not for shared caches. */
const svgHeaders = {
  'content-type': 'image/svg+xml; charset=utf-8',
  'cache-control': 'private, no-cache',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'cross-origin-resource-policy': 'cross-origin',
};

/** The avatar of one user. */
@ApiTags('avatars')
@Controller('v1/users/:id/avatar')
export class UserAvatarController {
  constructor(private readonly avatars: UserAvatarService) {}

  @Get()
  @Requires({ roles: ['user', 'admin'], scopes: ['users:read'] })
  @ApiOperation({ operationId: 'getUserAvatar', summary: 'Where the picture of a user is, or its initials' })
  @ApiResponse({
    status: 200,
    content: svg,
    description: 'Its initials, where it has no picture and `default` asks so',
  })
  @ApiResponse({ status: 302, description: '`Location` is the picture' })
  @ApiResponse({ status: 304, description: 'The initials in `If-None-Match` are still those' })
  @ApiProblems('invalid-request', 'user-not-found', 'avatar-not-found')
  async get(
    @Param('id', { schema: userIdSchema }) id: string,
    @Query({ schema: avatarQuerySchema }) query: AvatarQuery,
    @Caller() caller: Principal,
    @Headers('if-none-match') known: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const shown = await this.avatars.show(id, caller, query);
    if ('location' in shown) {
      void reply.code(302).header('location', shown.location).send();
      return;
    }
    const etag = `"${createHash('sha256').update(shown.svg).digest('hex').slice(0, 32)}"`;
    void reply.headers(svgHeaders).header('etag', etag);
    if (isKnownTag(known, etag)) void reply.code(304).send();
    else void reply.send(shown.svg);
  }

  @Put()
  @RateClass('upload')
  @RouteConfig({ consumes: [multipartMediaType] })
  @ApiConsumes(multipartMediaType)
  @ApiBody({ schema: form })
  @ApiOperation({
    operationId: 'setAvatar',
    summary: 'Give a user a picture; it is cut square and stripped of all metadata',
  })
  @ApiResponse({ status: 200, standardSchema: userSchema, description: 'The user with its avatar; `ETag`' })
  @ApiProblems(
    'invalid-request',
    'malformed-multipart',
    'user-not-found',
    'precondition-failed',
    'unsupported-image',
    'unreadable-image',
    'image-too-large',
    'rate-limited',
    'overloaded',
  )
  async set(
    @Param('id', { schema: userIdSchema }) id: string,
    @Req() request: FastifyRequest,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserView> {
    const match = request.headers['if-match'];
    return withTag(await this.avatars.set({ id, source, match }, request.raw, signal), reply);
  }

  @Delete()
  @ApiOperation({ operationId: 'removeAvatar', summary: "Take a user's picture away" })
  @ApiResponse({ status: 200, standardSchema: userSchema, description: 'The user without an avatar; `ETag`' })
  @ApiProblems('invalid-request', 'user-not-found', 'precondition-failed')
  async remove(
    @Param('id', { schema: userIdSchema }) id: string,
    @Source() source: RequestSource,
    @Headers('if-match') match: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserView> {
    return withTag(await this.avatars.remove({ id, source, match }), reply);
  }
}
