import { Args, Context, Mutation, Resolver } from '@nestjs/graphql';

import {
  type AccessToken as Access,
  loginSchema,
  LoginService,
  reauthenticateSchema,
  refreshSchema,
  SessionsService,
  type TokenPair as Pair,
} from '#libs/auth';
import { Source, type RequestSource, PublicOrService, type RequestContext } from '#libs/platform/access';
import { ClientGone } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';

import { parseInput } from '../limits/arguments.js';
import { AccessToken, TokenPair } from '../schema/session.types.js';

const text = { type: () => String };
const audience = {
  type: () => String,
  nullable: true,
  description: 'Of an active service, in any spelling; without it the token is for Gatehouse itself.',
};

@Resolver()
export class LoginResolver {
  constructor(
    private readonly logins: LoginService,
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

  @Mutation(() => AccessToken, {
    nullable: true,
    description: 'Give the password again: for 10 minutes the session may do what asks for a fresh authentication.',
  })
  @RateClass('login')
  async reauthenticate(
    @Args('password', text) password: string,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
  ): Promise<Access> {
    return this.logins.reauthenticate(parseInput(reauthenticateSchema, { password }), source, signal);
  }
}
