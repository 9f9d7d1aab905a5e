import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { Requires } from '#libs/platform/access';
import { ApiProblems, varyBy } from '#libs/platform/http';

import { FeedPagesService } from './feed-pages.service.js';
import { type ReadFeed, readFeedSchema, revocationPageSchema } from './feed.schema.js';

/** What other services ask to know which tokens are ended (docs/feed-protocol.md). */
@ApiTags('revocations')
@Controller('v1/auth/revocations')
export class FeedController {
  constructor(private readonly pages: FeedPagesService) {}

  @Get()
  @Requires({ scopes: ['revocations:read'] })
  @ApiOperation({ operationId: 'readRevocations', summary: 'Every revocation that is live, or what came since' })
  @ApiResponse({ status: 200, standardSchema: revocationPageSchema, description: 'A page; `gzip` where it is taken' })
  @ApiProblems('invalid-request', 'invalid-cursor', 'feed-reset')
  async read(
    @Query({ schema: readFeedSchema }) query: ReadFeed,
    @Headers('accept-encoding') accepted: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const page = await this.pages.read(query);
    const { bytes, coding } = await page.as(accepted);
    varyBy(reply, 'Accept-Encoding');
    void reply.header('content-type', 'application/json; charset=utf-8');
    if (coding !== undefined) void reply.header('content-encoding', coding);
    void reply.send(bytes);
  }
}
