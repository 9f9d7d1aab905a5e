import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import {
  Caller,
  Source,
  LenientAuth,
  type RequestSource,
  type Principal,
  PublicOrService,
} from '#libs/platform/access';
import { ApiProblems, ClientGone } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import {
  type AccessToken,
  accessTokenSchema,
  type Login,
  loginSchema,
  type Logout,
  logoutSchema,
  type Reauthenticate,
  reauthenticateSchema,
  type Refresh,
  refreshSchema,
  type TokenPair,
  tokenPairSchema,
} from './auth.schema.js';
import { LoginDoor } from './login/login-door.js';
import { Reauthentication } from './login/reauthentication.service.js';
import { asUser } from './sessions/session-access.js';
import { SessionEnd } from './sessions/session-end.service.js';
import { SessionsService } from './sessions/sessions.service.js';

@ApiTags('auth')
@Controller('v1/auth')
export class AuthController {
  constructor(
    private readonly door: LoginDoor,
    private readonly sessions: SessionsService,
    private readonly sessionEnd: SessionEnd,
    private readonly reauthentication: Reauthentication,
  ) {}

  @Post('login')
  @PublicOrService()
  @RateClass('login')
  @RouteConfig({ hashesPassword: true })
  @HttpCode(200)
  @ApiOperation({ operationId: 'login', summary: 'Sign in with user name or e-mail address and password' })
  @ApiResponse({ status: 200, standardSchema: tokenPairSchema, description: 'Tokens of a new session' })
  @ApiProblems('invalid-request', 'invalid-credentials', 'invalid-service-key', 'overloaded')
  login(
    @Body({ schema: loginSchema }) credentials: Login,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenPair> {
    return this.door.login({ credentials, source, signal }, { request, reply });
  }

  @Post('reauthenticate')
  @RateClass('login')
  @RouteConfig({ hashesPassword: true })
  @HttpCode(200)
  @ApiOperation({
    operationId: 'reauthenticate',
    summary: 'Give the password again: for 10 minutes the session may do what asks for a fresh authentication',
  })
  @ApiResponse({ status: 200, standardSchema: accessTokenSchema, description: 'A new access token of this session' })
  @ApiProblems('invalid-request', 'wrong-password', 'overloaded')
  reauthenticate(
    @Body({ schema: reauthenticateSchema }) password: Reauthenticate,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
  ): Promise<AccessToken> {
    return this.reauthentication.reauthenticate(password, source, signal);
  }

  @Post('refresh')
  @PublicOrService()
  @RateClass('write')
  @HttpCode(200)
  @ApiOperation({ operationId: 'refresh', summary: 'Trade a refresh token for new tokens; it has one use' })
  @ApiResponse({ status: 200, standardSchema: tokenPairSchema, description: 'The next tokens of the session' })
  @ApiProblems('invalid-request', 'invalid-refresh-token', 'invalid-service-key')
  refresh(
    @Body({ schema: refreshSchema }) { refreshToken }: Refresh,
    @Source() source: RequestSource,
  ): Promise<TokenPair> {
    return this.sessions.refresh(refreshToken, source);
  }

  @Post('logout')
  @LenientAuth()
  @HttpCode(204)
  @ApiBody({ required: false })
  @ApiOperation({
    operationId: 'logout',
    summary: 'End this session; its tokens are dead at once',
    description:
      'The session of the access token, that of `refreshToken`, or both. With `refreshToken` the access token may be ' +
      'expired or absent, and a refresh token that is not ours is answered like one that is (RFC 7009).',
  })
  @ApiResponse({ status: 204, description: 'Logged out' })
  @ApiProblems('invalid-request')
  async logout(
    @Body({ schema: logoutSchema.optional() }) body: Logout | undefined,
    @Source() source: RequestSource,
    @Req() { headers }: FastifyRequest,
  ): Promise<void> {
    await this.sessions.logout(body?.refreshToken, source, headers);
  }

  @Post('logout-all')
  @HttpCode(204)
  @ApiOperation({ operationId: 'logoutAll', summary: 'End all of your sessions' })
  @ApiResponse({ status: 204, description: 'Logged out everywhere' })
  async logoutAll(@Caller() caller: Principal, @Source() source: RequestSource): Promise<void> {
    await this.sessionEnd.end(asUser(caller).userId, 'all', { cause: 'logout', event: 'logged-out', source });
  }
}
