import { Body, Controller, Req, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { AcceptanceService, type AcceptInvitation, acceptInvitationSchema } from '#libs/invitations';
import { type RequestSource, Source } from '#libs/platform/access';
import type { AppError } from '#libs/platform/errors';
import { ClientGone } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { PageForm, typedIn } from '../page-form.js';
import { PageRoute } from '../page-route.js';
import { frameOf } from './frame.js';
import { invitationPage } from './invitation-page.js';
import { OwnPagesGuard } from './own-pages.guard.js';

/** The page for who was invited. Its form does what the API does, by the same limits. */
@ApiExcludeController()
@Controller('account/invitation')
@UseGuards(OwnPagesGuard)
export class InvitationPageController {
  constructor(private readonly acceptances: AcceptanceService) {}

  @PageRoute('')
  page(@Req() request: FastifyRequest): string {
    return invitationPage(frameOf(request), { step: 'form' });
  }

  @PageForm('', { hashesPassword: true, failed })
  @RateClass('hash')
  async accept(
    @Body({ schema: acceptInvitationSchema }) input: AcceptInvitation,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    await this.acceptances.accept(input, source, signal);
    return invitationPage(frameOf(request), { step: 'done' });
  }
}

function failed(error: AppError, request: FastifyRequest): string {
  return invitationPage(frameOf(request), { step: 'form', values: typedIn(request), error });
}
