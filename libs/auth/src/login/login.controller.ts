import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { PublicOrService, type RequestSource, Source, WithoutSecondFactor } from '#libs/platform/access';
import { ApiProblems, ClientGone } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { type AccessToken, accessTokenSchema, type TokenPair, tokenPairSchema } from '../tokens/tokens.schema.js';
import {
  type CompleteLogin,
  completeLoginSchema,
  type Login,
  loginSchema,
  type Reauthenticate,
  reauthenticateSchema,
} from './login.schema.js';
import { LoginService } from './login.service.js';
import { ReauthenticationService } from './reauthentication.service.js';
import { SecondFactorLoginService } from './second-factor-login.service.js';

@ApiTags('auth')
@Controller('v1/auth')
export class LoginController {
  constructor(
    private readonly logins: LoginService,
    private readonly secondFactors: SecondFactorLoginService,
    private readonly reauthentications: ReauthenticationService,
  ) {}

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
    'second-factor-required',
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

  @Post('login/second-factor')
  @PublicOrService()
  @RateClass('login')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'completeLogin',
    summary: 'Finish a login with a code of the second factor',
    description:
      'A challenge is good for five minutes and one login; it stays good after a wrong code. A code works once. Wrong ' +
      'codes delay as wrong passwords do, and a login that is delayed is refused with the right code too.',
  })
  @ApiResponse({ status: 200, standardSchema: tokenPairSchema, description: 'Tokens of a new session' })
  @ApiProblems('invalid-request', 'unknown-audience', 'invalid-challenge', 'invalid-credentials', 'invalid-service-key')
  completeLogin(
    @Body({ schema: completeLoginSchema }) login: CompleteLogin,
    @Source() source: RequestSource,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenPair> {
    return this.secondFactors.complete(login, source, { request, reply });
  }

  @Post('reauthenticate')
  @WithoutSecondFactor()
  @RateClass('login')
  @RouteConfig({ hashesPassword: true })
  @HttpCode(200)
  @ApiOperation({
    operationId: 'reauthenticate',
    summary:
      'Give the password again, or a code: for 10 minutes the session may do what asks for a fresh authentication',
    description: 'A code of the second factor also makes the session one with both factors (`acr` of its tokens).',
  })
  @ApiResponse({ status: 200, standardSchema: accessTokenSchema, description: 'A new access token of this session' })
  @ApiProblems('invalid-request', 'wrong-password', 'wrong-code', 'overloaded')
  reauthenticate(
    @Body({ schema: reauthenticateSchema }) given: Reauthenticate,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
  ): Promise<AccessToken> {
    return this.reauthentications.reauthenticate({ given, source, signal });
  }
}
