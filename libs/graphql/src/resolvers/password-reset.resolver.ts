import { Args, Mutation, Resolver } from '@nestjs/graphql';

import {
  type ConfirmPasswordReset,
  confirmPasswordResetSchema,
  PasswordResetRequests,
  PasswordResetService,
  requestPasswordResetSchema,
} from '#libs/auth';
import { PublicOrService, type RequestSource, Source } from '#libs/platform/access';
import { ClientGone } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { parsed, parseInput } from '../limits/arguments.js';
import { PasswordResetInput } from '../schema/recovery.inputs.js';

@Resolver()
export class PasswordResetResolver {
  constructor(
    private readonly requests: PasswordResetRequests,
    private readonly resets: PasswordResetService,
  ) {}

  @Mutation(() => Boolean, {
    nullable: true,
    description:
      'Ask for a mail by which a forgotten password is replaced; the answer is the same whether the address is known or not.',
  })
  @PublicOrService()
  @RateClass('login')
  async requestPasswordReset(
    @Args('email', { type: () => String }) email: string,
    @Source() source: RequestSource,
  ): Promise<true> {
    await this.requests.request(parseInput(requestPasswordResetSchema, { email }), source);
    return true;
  }

  @Mutation(() => Boolean, {
    nullable: true,
    description:
      'Set a new password by the link or the code of the mail; all sessions of the user end. Signs nobody in.',
  })
  @PublicOrService()
  @RateClass('login')
  async confirmPasswordReset(
    @Args('input', { type: () => PasswordResetInput }, parsed(confirmPasswordResetSchema)) input: ConfirmPasswordReset,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
  ): Promise<true> {
    await this.resets.confirm(input, source, signal);
    return true;
  }
}
