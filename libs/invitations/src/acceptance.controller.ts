import { Body, Controller, Post, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { PublicOrService, type RequestSource, Source } from '#libs/platform/access';
import { ApiProblems, ClientGone, toPublicPath } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';
import { userSchema, type UserView, withTag } from '#libs/users';

import { AcceptanceService } from './acceptance.service.js';
import { type AcceptInvitation, acceptInvitationSchema } from './invitations.schema.js';

@ApiTags('invitations')
@Controller('v1/auth/invitations')
export class AcceptanceController {
  constructor(private readonly acceptances: AcceptanceService) {}

  @Post('accept')
  @PublicOrService()
  @RateClass('hash')
  @RouteConfig({ hashesPassword: true })
  @ApiOperation({
    operationId: 'acceptInvitation',
    summary: 'Make the account that an invitation is for; its address counts as verified',
  })
  @ApiResponse({
    status: 201,
    standardSchema: userSchema,
    description: 'The new user, who is not signed in; `Location` and `ETag`',
  })
  @ApiProblems(
    'invalid-request',
    'invalid-confirmation',
    'password-refused',
    'invalid-service-key',
    'permissions-too-large',
    'user-name-taken',
    'email-taken',
    'overloaded',
  )
  async accept(
    @Body({ schema: acceptInvitationSchema }) input: AcceptInvitation,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserView> {
    const created = await this.acceptances.accept(input, source, signal);
    void reply.header('location', toPublicPath(reply, `/v1/users/${created.user.id}`));
    return withTag(created, reply);
  }
}
