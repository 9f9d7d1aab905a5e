import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { type RequestSource, Requires, Source } from '#libs/platform/access';
import { ApiProblems, linkNext, toPublicPath } from '#libs/platform/http';
import {
  type IdempotentRequest,
  Idempotent,
  type IdempotencyLock,
  Idempotency,
  IdempotencyKey,
} from '#libs/platform/idempotency';

import {
  type CreatedInvitation,
  createdInvitationSchema,
  invitationIdSchema,
  type InvitationPage,
  invitationPageSchema,
  invitationSchema,
  type InvitationView,
  type Invite,
  inviteSchema,
  type ListInvitations,
  listInvitationsSchema,
} from './invitations.schema.js';
import { InvitationsService } from './invitations.service.js';

const readers = { roles: ['admin'], scopes: ['users:read', 'users:write'] } as const;
const writers = { roles: ['admin'], scopes: ['users:write'] } as const;

@ApiTags('invitations')
@Controller('v1/invitations')
export class InvitationsController {
  constructor(
    private readonly invitations: InvitationsService,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Requires(writers)
  @IdempotencyKey()
  @ApiOperation({ operationId: 'createInvitation', summary: 'Invite somebody to make an account, by mail if it is on' })
  @ApiResponse({
    status: 201,
    standardSchema: createdInvitationSchema,
    description: 'The invitation with its link, shown once; `Location`',
  })
  @ApiProblems(
    'invalid-request',
    'fresh-authentication-required',
    'unknown-role',
    'permissions-too-large',
    'email-taken',
  )
  async create(
    @Body({ schema: inviteSchema }) input: Invite,
    @Source() source: RequestSource,
    @Idempotent() request: IdempotentRequest | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CreatedInvitation> {
    const made = await this.idempotency.run(request, (lock: IdempotencyLock<CreatedInvitation> | undefined) =>
      this.invitations.create(input, source, lock),
    );
    void reply.header('location', toPublicPath(reply, `/v1/invitations/${made.id}`));
    return made;
  }

  @Get()
  @Requires(readers)
  @ApiOperation({ operationId: 'listInvitations', summary: 'Invitations that are open, newest first' })
  @ApiResponse({
    status: 200,
    standardSchema: invitationPageSchema,
    description: 'A page, without links; `Link` names the next',
  })
  @ApiProblems('invalid-request', 'invalid-cursor', 'cursor-of-another-query')
  async list(
    @Query({ schema: listInvitationsSchema }) query: ListInvitations,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<InvitationPage> {
    const page = await this.invitations.list(query);
    linkNext(reply, page.nextCursor);
    return page;
  }

  @Get(':id')
  @Requires(readers)
  @ApiOperation({ operationId: 'getInvitation', summary: 'Read an invitation that is open' })
  @ApiResponse({ status: 200, standardSchema: invitationSchema, description: 'The invitation, without its link' })
  @ApiProblems('invalid-request', 'invitation-not-found')
  get(@Param('id', { schema: invitationIdSchema }) id: string): Promise<InvitationView> {
    return this.invitations.get(id);
  }

  @Delete(':id')
  @HttpCode(204)
  @Requires(writers)
  @ApiOperation({ operationId: 'deleteInvitation', summary: 'Withdraw an invitation; its link is dead at once' })
  @ApiResponse({ status: 204, description: 'Withdrawn' })
  @ApiProblems('invalid-request', 'invitation-not-found')
  async withdraw(
    @Param('id', { schema: invitationIdSchema }) id: string,
    @Source() source: RequestSource,
  ): Promise<void> {
    await this.invitations.withdraw(id, source);
  }
}
