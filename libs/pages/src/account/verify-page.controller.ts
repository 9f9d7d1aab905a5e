import { Body, Controller, Req, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import {
  type ConfirmEmail,
  confirmEmailSchema,
  EmailVerificationService,
  type RequestVerification,
  requestVerificationSchema,
} from '#libs/auth';
import { type RequestSource, Source } from '#libs/platform/access';
import type { AppError } from '#libs/platform/errors';
import { RateClass } from '#libs/security/rate-limits';

import { PageForm, typedIn } from '../page-form.js';
import { PageRoute } from '../page-route.js';
import { frameOf } from './frame.js';
import { OwnPagesGuard } from './own-pages.guard.js';
import { verifyPage, type VerifyStep } from './verify-page.js';

/** The page that confirms an address. Its forms do what the API does, by the same limits. */
@ApiExcludeController()
@Controller('account/verify')
@UseGuards(OwnPagesGuard)
export class VerifyPageController {
  constructor(private readonly verifications: EmailVerificationService) {}

  @PageRoute('')
  page(@Req() request: FastifyRequest): string {
    return verifyPage(frameOf(request), { step: 'code' });
  }

  @PageForm('', { failed: (error, request) => failed(stepOf(error, request), error, request) })
  @RateClass('login')
  async confirm(
    @Body({ schema: confirmEmailSchema }) confirmation: ConfirmEmail,
    @Source() source: RequestSource,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    await this.verifications.confirm(confirmation, source);
    return verifyPage(frameOf(request), { step: 'done' });
  }

  @PageForm('mail', { failed: (error, request) => failed('mail', error, request) })
  @RateClass('login')
  async ask(
    @Body({ schema: requestVerificationSchema }) asked: RequestVerification,
    @Source() source: RequestSource,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    await this.verifications.request(asked, source);
    return verifyPage(frameOf(request), { step: 'sent', values: typedIn(request) });
  }
}

const failed = (step: VerifyStep, error: AppError, request: FastifyRequest): string =>
  verifyPage(frameOf(request), { step, values: typedIn(request), error });

/** A link that is not good is of no more use; a code or a new mail is. */
function stepOf({ code }: AppError, request: FastifyRequest): VerifyStep {
  if (typedIn(request)['token'] === undefined) return 'code';
  return code === 'invalid-confirmation' || code === 'email-taken' ? 'failed' : 'link';
}
