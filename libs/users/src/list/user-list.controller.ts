import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { type RequestSource, Requires, Source } from '#libs/platform/access';
import { ApiProblems, linkNext } from '#libs/platform/http';
import { AuditBursts } from '#libs/security/audit';

import { type ListUsers, listUsersSchema, type UserPage, userPageSchema } from './user-list.schema.js';
import { UserListService } from './user-list.service.js';

@ApiTags('users')
@Controller('v1/users')
export class UserListController {
  constructor(
    private readonly lists: UserListService,
    private readonly bursts: AuditBursts,
  ) {}

  @Get()
  @Requires({ roles: ['admin'], scopes: ['users:read'] })
  @ApiOperation({ operationId: 'listUsers', summary: 'List, filter and search users' })
  @ApiResponse({ status: 200, standardSchema: userPageSchema, description: 'A page; `Link` names the next' })
  @ApiProblems('invalid-request', 'invalid-cursor', 'cursor-of-another-query')
  async list(
    @Query({ schema: listUsersSchema }) query: ListUsers,
    @Source() source: RequestSource,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserPage> {
    const page = await this.lists.list(query, source.caller);
    this.bursts.noteRead({ event: 'users-listed' }, source);
    linkNext(reply, page.nextCursor);
    return page;
  }
}
