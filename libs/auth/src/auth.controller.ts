import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { Caller, From, type Origin, type Principal, PublicOrService } from '#libs/platform/access';
import { ApiProblems, ClientGone } from '#libs/platform/http';
import { RateClass } from '#libs/rate-limits';

import {
  type Login,
  loginSchema,
  type Refresh,
  refreshSchema,
  type TokenPair,
  tokenPairSchema,
} from './auth.schema.js';
import { LoginDoor } from './login/login-door.js';
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
  ) {}

  @Post('login')
  @PublicOrService()
  @RateClass('login')
  @RouteConfig({ hashes: true })
  @HttpCode(200)
  @ApiOperation({ operationId: 'login', summary: 'Sign in with user name or e-mail address and password' })
  @ApiResponse({ status: 200, standardSchema: tokenPairSchema, description: 'Tokens of a new session' })
  @ApiProblems('invalid-request', 'invalid-credentials', 'invalid-service-key', 'overloaded')
  login(
    @Body({ schema: loginSchema }) credentials: Login,
    @From() origin: Origin,
    @ClientGone() signal: AbortSignal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenPair> {
    return this.door.login({ credentials, origin, signal }, { request, reply });
  }

  @Post('refresh')
  @PublicOrService()
  @RateClass('write')
  @HttpCode(200)
  @ApiOperation({ operationId: 'refresh', summary: 'Trade a refresh token for new tokens; it has one use' })
  @ApiResponse({ status: 200, standardSchema: tokenPairSchema, description: 'The next tokens of the session' })
  @ApiProblems('invalid-request', 'invalid-refresh-token', 'invalid-service-key')
  refresh(@Body({ schema: refreshSchema }) { refreshToken }: Refresh, @From() origin: Origin): Promise<TokenPair> {
    return this.sessions.refresh(refreshToken, origin);
  }

  @Post('logout')
  @HttpCode(204)
  @ApiOperation({ operationId: 'logout', summary: 'End this session; its tokens are dead at once' })
  @ApiResponse({ status: 204, description: 'Logged out' })
  async logout(@Caller() caller: Principal, @From() origin: Origin): Promise<void> {
    const { userId, sessionId } = asUser(caller);
    await this.sessionEnd.end(userId, { only: sessionId }, { cause: 'logout', event: 'logged-out', origin });
  }

  @Post('logout-all')
  @HttpCode(204)
  @ApiOperation({ operationId: 'logoutAll', summary: 'End all of your sessions' })
  @ApiResponse({ status: 204, description: 'Logged out everywhere' })
  async logoutAll(@Caller() caller: Principal, @From() origin: Origin): Promise<void> {
    await this.sessionEnd.end(asUser(caller).userId, 'all', { cause: 'logout', event: 'logged-out', origin });
  }
}
