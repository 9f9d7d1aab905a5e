import { Args, Context, Mutation, Resolver } from '@nestjs/graphql';

import {
  type AccessToken as Access,
  completeLoginSchema,
  loginSchema,
  LoginService,
  type Reauthenticate,
  ReauthenticationService,
  reauthenticateSchema,
  refreshSchema,
  SecondFactorLoginService,
  SecondFactorRemovalService,
  SessionsService,
  type TokenPair as Pair,
} from '#libs/auth';
import {
  PublicOrService,
  type RequestContext,
  type RequestSource,
  Source,
  WithoutSecondFactor,
} from '#libs/platform/access';
import { ClientGone } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { parseInput } from '../limits/arguments.js';
import { AccessToken, TokenPair } from '../schema/session.types.js';

const text = { type: () => String };
const optionalText = { type: () => String, nullable: true };
const audience = {
  type: () => String,
  nullable: true,
  description: 'Of an active service, in any spelling; without it the token is for Gatehouse itself.',
};

@Resolver()
export class LoginResolver {
  constructor(
    private readonly logins: LoginService,
    private readonly secondFactors: SecondFactorLoginService,
    private readonly reauthentications: ReauthenticationService,
    private readonly removals: SecondFactorRemovalService,
    private readonly sessions: SessionsService,
  ) {}

  @Mutation(() => TokenPair, { nullable: true, description: 'Sign in with user name or e-mail address and password.' })
  @PublicOrService()
  @RateClass('login')
  async login(
    @Args('userName', text) userName: string,
    @Args('password', text) password: string,
    @Args('audience', audience) wanted: string | null | undefined,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
    @Context() context: RequestContext,
  ): Promise<Pair> {
    const credentials = parseInput(loginSchema, { userName, password, audience: wanted ?? undefined });
    return this.logins.login({ credentials, source, signal }, context);
  }

  @Mutation(() => TokenPair, { nullable: true, description: 'Trade a refresh token for new tokens; it has one use.' })
  @PublicOrService()
  @RateClass('write')
  refresh(
    @Args('refreshToken', text) refreshToken: string,
    @Args('audience', audience) wanted: string | null | undefined,
    @Source() source: RequestSource,
  ): Promise<Pair> {
    const refresh = parseInput(refreshSchema, { refreshToken, audience: wanted ?? undefined });
    return this.sessions.refresh(refresh.refreshToken, source, refresh.audience);
  }

  @Mutation(() => TokenPair, {
    nullable: true,
    description:
      'Finish a login with a code of the second factor; `challenge` is in the extensions of the error `second-factor-required`.',
  })
  @PublicOrService()
  @RateClass('login')
  completeLogin(
    @Args('challenge', text) challenge: string,
    @Args('code', text) code: string,
    @Source() source: RequestSource,
    @Context() context: RequestContext,
  ): Promise<Pair> {
    return this.secondFactors.complete(parseInput(completeLoginSchema, { challenge, code }), source, context);
  }

  @Mutation(() => AccessToken, {
    nullable: true,
    description:
      'Give the password again, or a code, which makes the session one with both factors: for 10 minutes the session may do what asks for a fresh authentication.',
  })
  @RateClass('login')
  @WithoutSecondFactor()
  async reauthenticate(
    @Args('password', optionalText) password: string | null | undefined,
    @Args('code', optionalText) code: string | null | undefined,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
  ): Promise<Access> {
    return this.reauthentications.reauthenticate({ given: toProof(password, code), source, signal });
  }

  @Mutation(() => Boolean, {
    nullable: true,
    description: 'Remove your authenticator app and all recovery codes, with the password or a code.',
  })
  @RateClass('login')
  async removeTotp(
    @Args('password', optionalText) password: string | null | undefined,
    @Args('code', optionalText) code: string | null | undefined,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
  ): Promise<true> {
    await this.removals.remove({ given: toProof(password, code), source, signal });
    return true;
  }
}

const toProof = (password: string | null | undefined, code: string | null | undefined): Reauthenticate =>
  parseInput(reauthenticateSchema, {
    ...(typeof password === 'string' && { password }),
    ...(typeof code === 'string' && { code }),
  });
