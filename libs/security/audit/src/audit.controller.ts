import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { Requires } from '#libs/platform/access';
import { ApiProblems, linkNext } from '#libs/platform/http';

import { type AuditPage, auditPageSchema, type ListAudit, listAuditSchema } from './audit.schema.js';
import { AuditService } from './audit.service.js';

@ApiTags('audit')
@Controller('v1/audit')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  @Requires({ roles: ['admin'] })
  @ApiOperation({ operationId: 'listAudit', summary: 'Security events, newest first' })
  @ApiResponse({ status: 200, standardSchema: auditPageSchema, description: 'A page; `Link` names the next' })
  @ApiProblems('invalid-request', 'invalid-cursor', 'cursor-of-another-query')
  async list(
    @Query({ schema: listAuditSchema }) query: ListAudit,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AuditPage> {
    const page = await this.audit.list(query);
    linkNext(reply, page.nextCursor);
    return page;
  }
}
