import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { Public } from '#libs/platform/access';

import { type JwkSet, jwksSchema } from './auth.schema.js';
import { SigningKeys } from './keys/signing-keys.service.js';

@ApiTags('discovery')
@Controller('.well-known')
export class WellKnownController {
  constructor(private readonly keys: SigningKeys) {}

  @Get('jwks.json')
  @Public()
  @Header('cache-control', 'public, max-age=300')
  @ApiOperation({ operationId: 'getJwks', summary: 'Public keys of the access tokens (RFC 7517)' })
  @ApiResponse({ status: 200, standardSchema: jwksSchema, description: 'The JWK set' })
  jwks(): JwkSet {
    return this.keys.ring.jwks();
  }
}
