import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { Public, scopes } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';

import { type JwkSet, jwksSchema } from '../keys/keys.schema.js';
import { SigningKeysService } from '../keys/signing-keys.service.js';
import { type Metadata, metadataSchema } from './oauth.schema.js';

const authMethods = ['client_secret_basic', 'client_secret_post'];
/** Verifiers may keep the key set this long (see `publishedAheadMs` in `KeyRotationService`). */
const cacheable = 'public, max-age=300';

@ApiTags('discovery')
@Controller('.well-known')
export class WellKnownController {
  constructor(
    private readonly keys: SigningKeysService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('jwks.json')
  @Public()
  @Header('cache-control', cacheable)
  @Header('access-control-allow-origin', '*')
  @ApiOperation({ operationId: 'getJwks', summary: 'Public keys of the access tokens (RFC 7517)' })
  @ApiResponse({ status: 200, standardSchema: jwksSchema, description: 'The JWK set' })
  async jwks(): Promise<JwkSet> {
    // when the database does not answer, verifiers get the set that is known
    await this.keys.makeFresh()?.catch(() => undefined);
    return this.keys.ring.jwks();
  }

  @Get('oauth-authorization-server')
  @Public()
  @Header('cache-control', cacheable)
  @Header('access-control-allow-origin', '*')
  @ApiOperation({ operationId: 'getMetadata', summary: 'What there is and where (RFC 8414)' })
  @ApiResponse({ status: 200, standardSchema: metadataSchema, description: 'The metadata' })
  metadata(): Metadata {
    const { ISSUER: issuer, PUBLIC_URL: base } = this.config;
    return {
      issuer,
      jwks_uri: `${base}/.well-known/jwks.json`,
      token_endpoint: `${base}/v1/auth/token`,
      token_endpoint_auth_methods_supported: authMethods,
      introspection_endpoint: `${base}/v1/auth/introspect`,
      introspection_endpoint_auth_methods_supported: authMethods,
      revocation_endpoint: `${base}/v1/auth/revoke`,
      revocation_endpoint_auth_methods_supported: authMethods,
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
      scopes_supported: [...scopes],
      service_documentation: `${base}/docs`,
    };
  }

  @Get('openid-configuration')
  @Public()
  @Header('cache-control', cacheable)
  @Header('access-control-allow-origin', '*')
  @ApiOperation({ operationId: 'getOpenIdConfiguration', summary: 'The same, where many clients look first' })
  @ApiResponse({ status: 200, standardSchema: metadataSchema, description: 'The metadata' })
  openIdConfiguration(): Metadata {
    return this.metadata();
  }
}
