import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { LenientAuth, PublicOrService, type RequestSource, Source } from '#libs/platform/access';
import { ApiProblems } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import {
  type ConfirmEmail,
  confirmEmailSchema,
  type RequestVerification,
  requestVerificationSchema,
} from './email-verification.schema.js';
import { EmailVerificationService } from './email-verification.service.js';

@ApiTags('auth')
@Controller('v1/auth/email-verification')
export class EmailVerificationController {
  constructor(private readonly verifications: EmailVerificationService) {}

  @Post()
  @LenientAuth()
  @RateClass('login')
  @HttpCode(202)
  @ApiBody({ required: false })
  @ApiOperation({
    operationId: 'requestEmailVerification',
    summary: 'Ask for a mail by which an address is confirmed',
    description:
      'Your own address: the one that waits, else the one that is not confirmed. Or the address that is named, whoever ' +
      'asks: the answer is the same whether somebody has it or not.',
  })
  @ApiResponse({ status: 202, description: 'If there is something to confirm, a mail is on its way' })
  @ApiProblems('invalid-request', 'mail-off')
  async request(
    @Body({ schema: requestVerificationSchema.optional() }) body: RequestVerification | undefined,
    @Source() source: RequestSource,
  ): Promise<void> {
    await this.verifications.request(body ?? {}, source);
  }

  @Post('confirm')
  @PublicOrService()
  @RateClass('login')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'confirmEmail',
    summary: 'Confirm an address with the link or the code of a mail; signs nobody in',
  })
  @ApiResponse({ status: 204, description: 'Confirmed; an address that waited is the address now' })
  @ApiProblems('invalid-request', 'invalid-confirmation', 'mail-off', 'email-taken', 'invalid-service-key')
  async confirm(
    @Body({ schema: confirmEmailSchema }) body: ConfirmEmail,
    @Source() source: RequestSource,
  ): Promise<void> {
    await this.verifications.confirm(body, source);
  }
}
