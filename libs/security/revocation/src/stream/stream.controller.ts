import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { Requires } from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';

import { StreamsService } from './streams.service.js';

const streamQuerySchema = z.strictObject({
  cursor: z
    .string()
    .optional()
    .meta({ description: 'From which on the entries are told; all that are live without it' }),
});
type StreamQuery = z.infer<typeof streamQuerySchema>;

const events = `Events after HTML §9.2 (docs/feed-protocol.md): \`revocation\` with an entry, \`heartbeat\` every second with
\`{ cursor, epoch, sentMs }\`, and \`reset\` before the service ends the stream.`;

@ApiTags('revocations')
@Controller('v1/auth/revocations')
export class StreamController {
  constructor(private readonly streams: StreamsService) {}

  @Get('stream')
  @Requires({ scopes: ['revocations:read'] })
  @RouteConfig({ isStream: true })
  @ApiOperation({ operationId: 'streamRevocations', summary: 'Revocations as they are made, as server-sent events' })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'A cursor; it wins over the one of the query' })
  @ApiResponse({
    status: 200,
    description: events,
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  @ApiProblems('invalid-request', 'invalid-cursor', 'feed-reset', 'too-many-streams', 'unavailable')
  async stream(
    @Query({ schema: streamQuerySchema }) { cursor }: StreamQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    // an empty one means that there was none (HTML §9.2.4)
    await this.streams.open(reply, lastEventId === '' ? cursor : (lastEventId ?? cursor));
  }
}
