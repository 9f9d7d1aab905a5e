import { Body, Controller, Header, HttpCode, Post } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';

import {
  Caller,
  FreshAuthentication,
  OAuthClient,
  type Principal,
  type RequestSource,
  Requires,
  Source,
} from '#libs/platform/access';
import { ApiProblems, formMediaType } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { KeyRotationService } from '../keys/key-rotation.service.js';
import { ClientCredentialsService } from './client-credentials.service.js';
import {
  type Explain,
  explainSchema,
  type Explanation,
  explanationSchema,
  type Introspection,
  introspectionSchema,
  oauthErrorSchema,
  revokedSchema,
  type ServiceToken,
  type ServiceTokenForm,
  serviceTokenFormSchema,
  serviceTokenSchema,
  type TokenForm,
  tokenFormSchema,
} from './oauth.schema.js';
import { OAuthService } from './oauth.service.js';
import { TokenExplanationService } from './token-explanation.service.js';

/** These routes speak in the forms and errors of RFC 6749: stock clients refuse anything else. */
const oauth = { consumes: [formMediaType], errorFormat: 'oauth' } as const;
const oauthError = (status: number, description: string): MethodDecorator =>
  ApiResponse({ status, standardSchema: oauthErrorSchema, description });

@ApiTags('tokens')
@Controller('v1/auth')
export class OAuthController {
  constructor(
    private readonly tokens: OAuthService,
    private readonly explanation: TokenExplanationService,
    private readonly clientCredentials: ClientCredentialsService,
    private readonly rotation: KeyRotationService,
  ) {}

  @Post('token')
  @OAuthClient()
  @RateClass('login')
  @HttpCode(200)
  // RFC 6749 §5.1; `Cache-Control: no-store` is on every answer
  @Header('pragma', 'no-cache')
  @RouteConfig({ ...oauth, whenRepeated: { resource: 'invalid-target' } })
  @ApiConsumes(formMediaType)
  @ApiOperation({ operationId: 'getServiceToken', summary: 'A token for a service (RFC 6749 §4.4, RFC 8707)' })
  @ApiResponse({ status: 200, standardSchema: serviceTokenSchema, description: 'The token' })
  @oauthError(400, '`invalid_request`, `unsupported_grant_type`, `invalid_scope`, `invalid_target`')
  @oauthError(401, '`invalid_client`')
  issueServiceToken(
    @Body({ schema: serviceTokenFormSchema }) form: ServiceTokenForm,
    @Source() source: RequestSource,
  ): Promise<ServiceToken> {
    return this.clientCredentials.issue(form, source);
  }

  @Post('introspect')
  @OAuthClient('tokens:introspect')
  // it reads, although its method is POST
  @RateClass('read')
  @HttpCode(200)
  @RouteConfig(oauth)
  @ApiConsumes(formMediaType)
  @ApiOperation({ operationId: 'introspectToken', summary: 'What a token is worth now (RFC 7662)' })
  @ApiResponse({
    status: 200,
    standardSchema: introspectionSchema,
    description: 'Its claims, or that it is not active',
  })
  @oauthError(400, '`invalid_request`')
  @oauthError(401, '`invalid_client`, `invalid_token`')
  @oauthError(403, '`insufficient_scope`: `tokens:introspect` is needed')
  introspect(
    @Body({ schema: tokenFormSchema }) { token }: TokenForm,
    @Caller() caller: Principal,
  ): Promise<Introspection> {
    return this.tokens.introspect(token, caller.kind === 'service' ? caller.audience : null);
  }

  @Post('revoke')
  @OAuthClient('tokens:revoke')
  @HttpCode(200)
  @RouteConfig(oauth)
  @ApiConsumes(formMediaType)
  @ApiOperation({ operationId: 'revokeToken', summary: 'Revoke an access or refresh token (RFC 7009)' })
  @ApiResponse({ status: 200, standardSchema: revokedSchema, description: 'It is dead, or never was one of ours' })
  @oauthError(400, '`invalid_request`')
  @oauthError(401, '`invalid_client`, `invalid_token`')
  @oauthError(403, '`insufficient_scope`: `tokens:revoke` is needed')
  async revoke(
    @Body({ schema: tokenFormSchema }) { token }: TokenForm,
    @Source() source: RequestSource,
  ): Promise<Record<string, never>> {
    await this.tokens.revoke(token, source);
    return {};
  }

  @Post('explain')
  @RateClass('read')
  @Requires({ roles: ['admin'], scopes: ['tokens:introspect'] })
  @HttpCode(200)
  @ApiOperation({ operationId: 'explainToken', summary: 'Why an access token is or is not accepted' })
  @ApiResponse({ status: 200, standardSchema: explanationSchema, description: 'The reason' })
  @ApiProblems('invalid-request', 'unknown-audience')
  explain(@Body({ schema: explainSchema }) { token, audience }: Explain): Promise<Explanation> {
    return this.explanation.explain(token, audience);
  }

  @Post('revoke-all')
  @Requires({ roles: ['admin'] })
  @FreshAuthentication()
  @HttpCode(204)
  @ApiOperation({ operationId: 'revokeAll', summary: 'For emergencies: end every session and every token there is' })
  @ApiResponse({ status: 204, description: 'Everybody has to sign in again, you too' })
  async revokeAll(@Source() source: RequestSource): Promise<void> {
    await this.rotation.revokeAll(source);
  }
}
