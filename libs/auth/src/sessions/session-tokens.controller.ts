import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import {
  Caller,
  LenientAuth,
  type Principal,
  PublicOrService,
  type RequestSource,
  Source,
} from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { type TokenPair, tokenPairSchema } from '../tokens/tokens.schema.js';
import { SessionEndService } from './session-end.service.js';
import { type Logout, logoutSchema, type Refresh, refreshSchema } from './sessions.schema.js';
import { asUser } from './session-owner.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('auth')
@Controller('v1/auth')
export class SessionTokensController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly sessionEnd: SessionEndService,
  ) {}

  @Post('refresh')
  @PublicOrService()
  @RateClass('write')
  @HttpCode(200)
  @ApiOperation({ operationId: 'refresh', summary: 'Trade a refresh token for new tokens; it has one use' })
  @ApiResponse({ status: 200, standardSchema: tokenPairSchema, description: 'The next tokens of the session' })
  @ApiProblems('invalid-request', 'unknown-audience', 'invalid-refresh-token', 'invalid-service-key')
  refresh(
    @Body({ schema: refreshSchema }) { refreshToken, audience }: Refresh,
    @Source() source: RequestSource,
  ): Promise<TokenPair> {
    return this.sessions.refresh(refreshToken, source, audience);
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
