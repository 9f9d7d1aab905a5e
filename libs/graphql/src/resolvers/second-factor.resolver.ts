import { Args, ID, Mutation, Query, Resolver } from '@nestjs/graphql';

import { confirmTotpSchema, SecondFactorResetService, SecondFactorSetupService } from '#libs/auth';
import {
  Caller,
  FreshAuthentication,
  type Principal,
  type RequestSource,
  Requires,
  Source,
  WithoutSecondFactor,
} from '#libs/platform/access';
import { RateClass } from '#libs/security/rate-limits';
import { userIdSchema } from '#libs/users';

import { parsed, parseInput } from '../limits/arguments.js';
import { RecoveryCodes, SecondFactor, StartedTotp } from '../schema/second-factor.types.js';

@Resolver()
export class SecondFactorResolver {
  constructor(
    private readonly setup: SecondFactorSetupService,
    private readonly resets: SecondFactorResetService,
  ) {}

  @Query(() => SecondFactor, {
    nullable: true,
    description: 'Your second factor, and how many recovery codes are left.',
  })
  @RateClass('read')
  @WithoutSecondFactor()
  secondFactor(@Caller() caller: Principal): Promise<SecondFactor> {
    return this.setup.view(caller);
  }

  @Mutation(() => StartedTotp, {
    nullable: true,
    description: 'Begin with an authenticator app. Needs a fresh authentication.',
  })
  @RateClass('login')
  @FreshAuthentication()
  @WithoutSecondFactor()
  startTotp(@Caller() caller: Principal): Promise<StartedTotp> {
    return this.setup.startTotp(caller);
  }

  @Mutation(() => RecoveryCodes, {
    nullable: true,
    description: 'Turn the second factor on with a code of the app, within an hour of `startTotp`.',
  })
  @RateClass('login')
  @WithoutSecondFactor()
  confirmTotp(
    @Args('code', { type: () => String }) code: string,
    @Source() source: RequestSource,
  ): Promise<RecoveryCodes> {
    return this.setup.confirmTotp(parseInput(confirmTotpSchema, { code }).code, source);
  }

  @Mutation(() => RecoveryCodes, {
    nullable: true,
    description: 'New recovery codes; those of before are dead. Needs a fresh authentication.',
  })
  @RateClass('write')
  @FreshAuthentication()
  renewRecoveryCodes(@Source() source: RequestSource): Promise<RecoveryCodes> {
    return this.setup.renewRecoveryCodes(source);
  }

  @Mutation(() => Boolean, {
    nullable: true,
    description: 'Take the second factor from a user who has lost it. Administrators only.',
  })
  @RateClass('write')
  @Requires({ roles: ['admin'] })
  @FreshAuthentication()
  async resetSecondFactor(
    @Args('userId', { type: () => ID, description: 'A user id, or `me`.' }, parsed(userIdSchema)) userId: string,
    @Source() source: RequestSource,
  ): Promise<true> {
    await this.resets.reset(userId, source);
    return true;
  }
}
