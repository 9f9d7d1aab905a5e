import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import {
  Caller,
  FreshAuthentication,
  type Principal,
  type RequestSource,
  Source,
  WithoutSecondFactor,
} from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { SecondFactorSetupService } from './second-factor-setup.service.js';
import {
  type ConfirmTotp,
  confirmTotpSchema,
  type RecoveryCodes,
  recoveryCodesSchema,
  secondFactorSchema,
  type SecondFactorView,
  type StartedTotp,
  startedTotpSchema,
} from './second-factor.schema.js';

/** One's own second factor; `Cache-Control: no-store` is on every answer. */
@ApiTags('second-factor')
@Controller('v1/auth/second-factor')
export class SecondFactorController {
  constructor(private readonly setup: SecondFactorSetupService) {}

  @Get()
  @WithoutSecondFactor()
  @ApiOperation({ operationId: 'getSecondFactor', summary: 'Your second factor, and how many recovery codes are left' })
  @ApiResponse({ status: 200, standardSchema: secondFactorSchema, description: 'What is on' })
  view(@Caller() caller: Principal): Promise<SecondFactorView> {
    return this.setup.view(caller);
  }

  // a QR code takes 5 to 15 ms of the event loop
  @Post('totp')
  @WithoutSecondFactor()
  @RateClass('login')
  @HttpCode(200)
  @FreshAuthentication()
  @ApiOperation({
    operationId: 'startTotp',
    summary: 'Begin with an authenticator app (RFC 6238)',
    description:
      'Nothing changes before the secret is confirmed, within an hour. Asking again gives another one in its place.',
  })
  @ApiResponse({ status: 200, standardSchema: startedTotpSchema, description: 'The secret, shown this once' })
  @ApiProblems('fresh-authentication-required', 'second-factor-exists')
  startTotp(@Caller() caller: Principal): Promise<StartedTotp> {
    return this.setup.startTotp(caller);
  }

  @Post('totp/confirm')
  @WithoutSecondFactor()
  @HttpCode(200)
  @RateClass('login')
  @ApiOperation({
    operationId: 'confirmTotp',
    summary: 'Turn the second factor on with a code of the app',
    description:
      'The session that asks counts as one with a second factor from its next access token on. The code is used up.',
  })
  @ApiResponse({ status: 200, standardSchema: recoveryCodesSchema, description: 'Recovery codes, shown this once' })
  @ApiProblems('invalid-request', 'wrong-code', 'second-factor-not-found', 'second-factor-exists')
  confirmTotp(
    @Body({ schema: confirmTotpSchema }) { code }: ConfirmTotp,
    @Source() source: RequestSource,
  ): Promise<RecoveryCodes> {
    return this.setup.confirmTotp(code, source);
  }

  @Post('recovery-codes')
  @HttpCode(200)
  @FreshAuthentication()
  @ApiOperation({ operationId: 'renewRecoveryCodes', summary: 'New recovery codes; those of before are dead' })
  @ApiResponse({ status: 200, standardSchema: recoveryCodesSchema, description: 'Shown this once' })
  @ApiProblems('fresh-authentication-required', 'second-factor-not-found')
  renewRecoveryCodes(@Source() source: RequestSource): Promise<RecoveryCodes> {
    return this.setup.renewRecoveryCodes(source);
  }
}
