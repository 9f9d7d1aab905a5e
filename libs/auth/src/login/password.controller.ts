import { Body, Controller, Delete, HttpCode, Param, Put, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { FreshAuthentication, type RequestSource, Requires, Source } from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';
import { userIdSchema } from '#libs/users';

import { type TokenPair, tokenPairSchema } from '../tokens/tokens.schema.js';
import { LoginDelaysService } from './login-delays.service.js';
import { type ChangePassword, changePasswordSchema } from './login.schema.js';
import { PasswordUpdateService } from './password-update.service.js';

/** Under the path of users; the routes belong to sign-in. */
@ApiTags('sessions')
@Controller('v1/users/:id')
export class PasswordController {
  constructor(
    private readonly passwords: PasswordUpdateService,
    private readonly delays: LoginDelaysService,
  ) {}

  @Put('password')
  @RateClass('login', 'hash')
  @RouteConfig({ hashesPassword: true })
  @ApiOperation({
    operationId: 'changePassword',
    summary: 'Change a password; the other sessions of the user end',
    description:
      'Your own: the session that asks goes on with the tokens in the answer, and its refresh token of before is dead. ' +
      'The cookie of the answer keeps this device known to the delays after failed logins; those of before do not count. ' +
      "Somebody else's: all of their sessions end.",
  })
  @ApiResponse({ status: 200, standardSchema: tokenPairSchema, description: 'Your own was changed: the next tokens' })
  @ApiResponse({ status: 204, description: "Somebody else's was changed" })
  @ApiProblems(
    'invalid-request',
    'password-refused',
    'wrong-password',
    'fresh-authentication-required',
    'user-not-found',
    'overloaded',
  )
  async changePassword(
    @Param('id', { schema: userIdSchema }) id: string,
    @Body({ schema: changePasswordSchema }) change: ChangePassword,
    @Source() source: RequestSource,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenPair | undefined> {
    const pair = await this.passwords.change({ id, change, source }, { request, reply });
    if (!pair) reply.status(204);
    return pair;
  }

  @Delete('login-delay')
  @HttpCode(204)
  @Requires({ roles: ['admin'] })
  @FreshAuthentication()
  @ApiOperation({
    operationId: 'liftLoginDelay',
    summary: 'Forget the failed logins of a user, and the delay they caused',
  })
  @ApiResponse({ status: 204, description: 'Nothing delays the next login' })
  @ApiProblems('invalid-request', 'user-not-found')
  async liftLoginDelay(
    @Param('id', { schema: userIdSchema }) id: string,
    @Source() source: RequestSource,
  ): Promise<void> {
    await this.delays.lift(id, source);
  }
}
