import { Controller, HttpCode, Post, Query, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { type IdempotentRequest, Idempotent, IdempotencyKey } from '#libs/platform/idempotency';
import { FreshAuthentication, Source, type RequestSource, Requires } from '#libs/platform/access';
import { ApiProblems, ClientGone, rowMediaTypes } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { cutOffAfterAnswer, ImportRequestsService } from './import-requests.service.js';
import { type ImportQuery, importQuerySchema } from './import.schema.js';

const body = `A row a line (NDJSON), or CSV whose first line names the fields:
\`{ id?, subject?, externalId?, userName, firstName, lastName, email?, emailVerified?, roles?, status?, createdAt?,
passwordHash?, profile?, metadata? }\`. \`id\` is a UUID, \`subject\` the \`sub\` of the user's tokens (1 to 255 characters,
kept exactly; the id if absent); \`emailVerified\` is true or false, false if absent; in CSV, \`profile.<name>\` is a member of \`profile\`. At most 64 KiB a row and 1 GiB at once. A user is found by \`id\`, else
\`subject\`, \`externalId\`, \`userName\`; what contradicts is refused in its row. A row without \`passwordHash\` makes a user who cannot log in until a password is set.`;
const answer = `A line a row, in order, while the rows come:
\`{ row, status: created|exists|updated|unchanged|refused, id?, code?, errors? }\`. The last line counts them:
\`{ done, rows, created, exists, updated, unchanged, refused, stopped?: { code, detail } }\`. Without it, or with \`done\`
false, send the same rows again: those that are there are skipped. Read the answer while you send. Under an
\`Idempotency-Key\` the answer to the same bytes is kept when it is \`done\`; an import that was cut off or stopped keeps
nothing, and its retry brings in what is missing. Of a very long answer (4 MiB gzipped, some 250,000 rows) only the last
line is kept: its replay has \`linesKept: false\`.`;

@ApiTags('users')
@Controller('v1/users')
export class ImportController {
  constructor(private readonly imports: ImportRequestsService) {}

  @Post('import')
  @HttpCode(200)
  @Requires({ roles: ['admin'], scopes: ['users:write'] })
  @FreshAuthentication()
  @RateClass('write')
  @IdempotencyKey()
  @RouteConfig({ consumes: rowMediaTypes, contentCodings: ['gzip', 'x-gzip'] })
  @ApiOperation({ operationId: 'importUsers', summary: 'Bring users in, with the passwords they have' })
  @ApiConsumes(...rowMediaTypes)
  @ApiBody({ schema: { type: 'string', description: body } })
  @ApiResponse({
    status: 200,
    description: answer,
    content: { 'application/x-ndjson': { schema: { type: 'string' } } },
  })
  @ApiProblems('invalid-request', 'malformed-csv', 'rate-limited', 'overloaded')
  async import(
    @Query({ schema: importQuerySchema }) query: ImportQuery,
    @Source() source: RequestSource,
    @Idempotent() idempotent: IdempotentRequest | undefined,
    @ClientGone() gone: AbortSignal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { request } = reply;
    cutOffAfterAnswer(request, reply.raw);
    const lines = await this.imports.begin({ request, query, source, idempotent, gone });
    await reply.header('content-type', 'application/x-ndjson; charset=utf-8').send(lines);
  }
}
