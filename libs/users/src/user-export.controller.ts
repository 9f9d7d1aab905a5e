import type { ServerResponse } from 'node:http';

import { Controller, Get, Param, Res, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import type { FastifyReply } from 'fastify';

import { Source, type RequestSource } from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';

import { UserExport } from './user-export.service.js';
import { userExportSchema, userIdSchema } from './users.schema.js';

/** Who takes nothing for this long does not read. */
const unreadMs = 30_000;

@ApiTags('users')
@Controller('v1/users')
export class UserExportController {
  constructor(private readonly exports: UserExport) {}

  @Get(':id/export')
  @ApiOperation({ operationId: 'exportUser', summary: 'Everything that is kept about a user' })
  @ApiResponse({ status: 200, standardSchema: userExportSchema, description: 'A file to download' })
  @ApiProblems('invalid-request', 'user-not-found', 'overloaded')
  async export(
    @Param('id', { schema: userIdSchema }) id: string,
    @Source() source: RequestSource,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const { userId, json } = await this.exports.export(id, source);
    cutOffWhenUnread(reply.raw);
    return new StreamableFile(json, {
      type: 'application/json; charset=utf-8',
      disposition: `attachment; filename="user-${userId}.json"`,
    });
  }
}

/** A client that asks and does not read would hold its place for ever. */
function cutOffWhenUnread(response: ServerResponse): void {
  response.setTimeout(unreadMs, () => response.destroy());
}
