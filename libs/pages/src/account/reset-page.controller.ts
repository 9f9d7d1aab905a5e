import { Body, Controller, Req, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import {
  type ConfirmPasswordReset,
  confirmPasswordResetSchema,
  PasswordResetRequests,
  PasswordResetService,
  type RequestPasswordReset,
  requestPasswordResetSchema,
} from '#libs/auth';
import { type RequestSource, Source } from '#libs/platform/access';
import type { AppError } from '#libs/platform/errors';
import { ClientGone } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { PageForm, typedIn } from '../page-form.js';
import { PageRoute } from '../page-route.js';
import { frameOf } from './frame.js';
import { OwnPagesGuard } from './own-pages.guard.js';
import { resetPage, type ResetStep } from './reset-page.js';

/** The page for a forgotten password. Its forms do what the API does, by the same limits. */
@ApiExcludeController()
@Controller('account/reset')
@UseGuards(OwnPagesGuard)
export class ResetPageController {
  constructor(
    private readonly requests: PasswordResetRequests,
    private readonly resets: PasswordResetService,
  ) {}

  @PageRoute('')
  page(@Req() request: FastifyRequest): string {
    return resetPage(frameOf(request), { step: 'mail' });
  }

  @PageForm('', { failed: (error, request) => failed('mail', error, request) })
  @RateClass('login')
  async ask(
    @Body({ schema: requestPasswordResetSchema }) asked: RequestPasswordReset,
    @Source() source: RequestSource,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    await this.requests.request(asked, source);
    return resetPage(frameOf(request), { step: 'sent', values: { email: asked.email } });
  }

  @PageForm('password', {
    hashesPassword: true,
    failed: (error, request) => failed(stepOf(error, request), error, request),
  })
  @RateClass('login', 'hash')
  async setPassword(
    @Body({ schema: confirmPasswordResetSchema }) confirmation: ConfirmPasswordReset,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    await this.resets.confirm(confirmation, source, signal);
    return resetPage(frameOf(request), { step: 'done' });
  }
}

const failed = (step: ResetStep, error: AppError, request: FastifyRequest): string =>
  resetPage(frameOf(request), { step, values: typedIn(request), error });

/** A link that is not good is of no more use; a new mail is. */
function stepOf({ code }: AppError, request: FastifyRequest): ResetStep {
  if (typedIn(request)['token'] === undefined) return 'code';
  return code === 'invalid-confirmation' ? 'failed' : 'link';
}
