import { Args, Mutation, Resolver } from '@nestjs/graphql';

import { confirmEmailSchema, EmailVerificationService, requestVerificationSchema } from '#libs/auth';
import { LenientAuth, PublicOrService, type RequestSource, Source } from '#libs/platform/access';
import { RateClass } from '#libs/security/rate-limits';

import { parseInput } from '../limits/arguments.js';
import { EmailConfirmation } from '../schema/user.inputs.js';

const email = {
  type: () => String,
  nullable: true,
  description: 'Your own if absent: the one that waits, else the one that is not confirmed.',
};

@Resolver()
export class EmailVerificationResolver {
  constructor(private readonly verifications: EmailVerificationService) {}

  @Mutation(() => Boolean, {
    nullable: true,
    description: 'Ask for a mail by which an address is confirmed; true whether somebody has it or not.',
  })
  @LenientAuth()
  @RateClass('login')
  async requestEmailVerification(
    @Args('email', email) named: string | null | undefined,
    @Source() source: RequestSource,
  ): Promise<true> {
    await this.verifications.request(parseInput(requestVerificationSchema, { email: named ?? undefined }), source);
    return true;
  }

  @Mutation(() => Boolean, {
    nullable: true,
    description: 'Confirm an address with the link or the code of a mail; signs nobody in.',
  })
  @PublicOrService()
  @RateClass('login')
  async confirmEmail(
    @Args('input', { type: () => EmailConfirmation }) input: EmailConfirmation,
    @Source() source: RequestSource,
  ): Promise<true> {
    const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));
    await this.verifications.confirm(parseInput(confirmEmailSchema, given), source);
    return true;
  }
}
