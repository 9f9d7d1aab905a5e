import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { PublicOrService, type RequestSource, Source } from '#libs/platform/access';
import { ApiProblems, ClientGone } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { PasswordResetRequests } from './password-reset-requests.js';
import {
  type ConfirmPasswordReset,
  confirmPasswordResetSchema,
  type RequestPasswordReset,
  requestPasswordResetSchema,
} from './password-reset.schema.js';
import { PasswordResetService } from './password-reset.service.js';

@ApiTags('auth')
@Controller('v1/auth/password-reset')
export class PasswordResetController {
  constructor(
    private readonly requests: PasswordResetRequests,
    private readonly resets: PasswordResetService,
  ) {}

  @Post()
  @PublicOrService()
  @RateClass('login')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'requestPasswordReset',
    summary: 'Ask for a mail by which a forgotten password is replaced',
    description:
      'The answer is the same whether the address is known or not. Whoever has it gets a link and a code, each good for ' +
      'an hour; using one ends both. At most `MAIL_LIMIT_PER_ADDRESS` mails an hour go to one address.',
  })
  @ApiResponse({ status: 202, description: 'A mail comes, if an active user has this address' })
  @ApiProblems('invalid-request', 'mail-off', 'invalid-service-key')
  async request(
    @Body({ schema: requestPasswordResetSchema }) request: RequestPasswordReset,
    @Source() source: RequestSource,
  ): Promise<void> {
    await this.requests.request(request, source);
  }

  @Post('confirm')
  @PublicOrService()
  @RateClass('login')
  @RouteConfig({ hashesPassword: true })
  @HttpCode(204)
  @ApiOperation({
    operationId: 'confirmPasswordReset',
    summary: 'Set a new password by the link or the code of the mail; all sessions of the user end',
    description:
      'Signs nobody in, and leaves the second factor on. A password that is refused uses nothing up. Five wrong codes end ' +
      'the codes of an address; its links go on.',
  })
  @ApiResponse({ status: 204, description: 'The password is set' })
  @ApiProblems(
    'invalid-request',
    'invalid-confirmation',
    'password-refused',
    'mail-off',
    'invalid-service-key',
    'overloaded',
  )
  async confirm(
    @Body({ schema: confirmPasswordResetSchema }) confirmation: ConfirmPasswordReset,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
  ): Promise<void> {
    await this.resets.confirm(confirmation, source, signal);
  }
}
