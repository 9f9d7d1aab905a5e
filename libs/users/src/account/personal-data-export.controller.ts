import { Controller, Get, Param, Res, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { Source, type RequestSource } from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';

import { PersonalDataExportService } from './personal-data-export.service.js';
import { personalDataExportSchema, userIdSchema } from './users.schema.js';

/** A client that takes nothing for this long is taken to have stopped reading. */
const unreadMs = 30_000;

@ApiTags('users')
@Controller('v1/users')
export class PersonalDataExportController {
  constructor(private readonly exports: PersonalDataExportService) {}

  @Get(':id/export')
  @ApiOperation({ operationId: 'exportUser', summary: 'Everything that is kept about a user' })
  @ApiResponse({ status: 200, standardSchema: personalDataExportSchema, description: 'A file to download' })
  @ApiProblems('invalid-request', 'user-not-found', 'overloaded')
  async export(
    @Param('id', { schema: userIdSchema }) id: string,
    @Source() source: RequestSource,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const { userId, json } = await this.exports.export(id, source);
    // otherwise a client that does not read would occupy one of the exports for ever
    reply.raw.setTimeout(unreadMs, () => reply.raw.destroy());
    return new StreamableFile(json, {
      type: 'application/json; charset=utf-8',
      disposition: `attachment; filename="user-${userId}.json"`,
    });
  }
}
