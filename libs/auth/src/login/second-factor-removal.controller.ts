import { Body, Controller, Delete, HttpCode } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { type RequestSource, Source } from '#libs/platform/access';
import { ApiProblems, ClientGone } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { type Reauthenticate, reauthenticateSchema } from './login.schema.js';
import { SecondFactorRemovalService } from './second-factor-removal.service.js';

/** Under the path of second factors; the route asks for what a login asks for. */
@ApiTags('second-factor')
@Controller('v1/auth/second-factor')
export class SecondFactorRemovalController {
  constructor(private readonly removals: SecondFactorRemovalService) {}

  @Delete('totp')
  @RateClass('login')
  @RouteConfig({ hashesPassword: true })
  @HttpCode(204)
  @ApiOperation({
    operationId: 'removeTotp',
    summary: 'Remove your authenticator app and all recovery codes, with the password or a code',
    description: 'A mail tells the address of the account. The tokens of the next refresh say `urn:gatehouse:1fa`.',
  })
  @ApiResponse({ status: 204, description: 'The password alone signs in from now on' })
  @ApiProblems('invalid-request', 'wrong-password', 'wrong-code', 'second-factor-not-found', 'overloaded')
  async remove(
    @Body({ schema: reauthenticateSchema }) given: Reauthenticate,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
  ): Promise<void> {
    await this.removals.remove({ given, source, signal });
  }
}
