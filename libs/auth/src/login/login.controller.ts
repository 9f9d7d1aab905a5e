import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { PublicOrService, type RequestSource, Source } from '#libs/platform/access';
import { ApiProblems, ClientGone } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { type AccessToken, accessTokenSchema, type TokenPair, tokenPairSchema } from '../tokens/tokens.schema.js';
import { type Login, loginSchema, type Reauthenticate, reauthenticateSchema } from './login.schema.js';
import { LoginService } from './login.service.js';

@ApiTags('auth')
@Controller('v1/auth')
export class LoginController {
  constructor(private readonly logins: LoginService) {}

  @Post('login')
  @PublicOrService()
  @RateClass('login')
  @RouteConfig({ hashesPassword: true })
  @HttpCode(200)
  @ApiOperation({ operationId: 'login', summary: 'Sign in with user name or e-mail address and password' })
  @ApiResponse({ status: 200, standardSchema: tokenPairSchema, description: 'Tokens of a new session' })
  @ApiProblems(
    'invalid-request',
    'unknown-audience',
    'invalid-credentials',
    'email-not-verified',
    'invalid-service-key',
    'overloaded',
  )
  login(
    @Body({ schema: loginSchema }) credentials: Login,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenPair> {
    return this.logins.login({ credentials, source, signal }, { request, reply });
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
    return this.logins.reauthenticate(password, source, signal);
  }
}
