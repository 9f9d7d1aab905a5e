import { Controller, Get, Param, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { From, type Origin } from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';

import { UserExport } from './user-export.service.js';
import { userExportSchema, userIdSchema } from './users.schema.js';

@ApiTags('users')
@Controller('v1/users')
export class UserExportController {
  constructor(private readonly exports: UserExport) {}

  @Get(':id/export')
  @ApiOperation({ operationId: 'exportUser', summary: 'Everything that is kept about a user' })
  @ApiResponse({ status: 200, standardSchema: userExportSchema, description: 'A file to download' })
  @ApiProblems('invalid-request', 'user-not-found')
  async export(@Param('id', { schema: userIdSchema }) id: string, @From() origin: Origin): Promise<StreamableFile> {
    const { userId, json } = await this.exports.export(id, origin);
    return new StreamableFile(json, {
      type: 'application/json; charset=utf-8',
      disposition: `attachment; filename="user-${userId}.json"`,
    });
  }
}
