import { Args, Context, ID, Int, Mutation, Query, Resolver } from '@nestjs/graphql';

import {
  logoutSchema,
  ownerOf,
  sessionIdSchema,
  sessionOwnerSchema,
  SessionsService,
  type SessionView,
} from '#libs/auth';
import {
  Caller,
  Source,
  LenientAuth,
  type RequestSource,
  type Principal,
  type RequestContext,
} from '#libs/platform/access';
import { RateClass } from '#libs/security/rate-limits';

import { pageSizeOf, parseInput } from '../limits/arguments.js';
import type { GraphqlContext } from '../schema/session-loader.js';
import { Session } from '../schema/session.types.js';

const owner = { type: () => ID, nullable: true, description: 'You, if absent; administrators may name another.' };

@Resolver()
export class SessionsResolver {
  constructor(private readonly living: SessionsService) {}

  @Query(() => [Session], { nullable: true, description: 'Where you are signed in, last used first.' })
  @RateClass('read')
  sessions(
    @Args('userId', owner) userId: string | undefined,
    @Args('first', { type: () => Int, defaultValue: 20, description: '1 to 100.' }) first: number,
    @Caller() caller: Principal,
    @Context() { sessionLoader }: GraphqlContext,
  ): Promise<readonly SessionView[]> {
    return sessionLoader.load(this.#ownerOf(userId, caller), pageSizeOf(first));
  }

  @Mutation(() => Boolean, {
    nullable: true,
    description: 'End this session, or that of a refresh token, or both; their tokens are dead at once.',
  })
  @LenientAuth()
  @RateClass('write')
  async logout(
    @Args('refreshToken', { type: () => String, nullable: true, description: 'Needs no access token beside it.' })
    refreshToken: string | null | undefined,
    @Source() source: RequestSource,
    @Context() { request }: RequestContext,
  ): Promise<true> {
    const logout = parseInput(logoutSchema, { refreshToken: refreshToken ?? undefined });
    await this.living.logout(logout.refreshToken, source, request.headers);
    return true;
  }

  @Mutation(() => Boolean, { nullable: true, description: 'End one session.' })
  @RateClass('write')
  async revokeSession(
    @Args('id', { type: () => ID }) id: string,
    @Args('userId', owner) userId: string | undefined,
    @Source() source: RequestSource,
  ): Promise<true> {
    const why = { cause: 'session-ended', event: 'session-ended', source } as const;
    await this.living.end(parseInput(sessionIdSchema, id), this.#ownerOf(userId, source.caller), why);
    return true;
  }

  #ownerOf(userId: string | null | undefined, caller: Principal): string {
    return ownerOf(parseInput(sessionOwnerSchema, { userId: userId ?? undefined }).userId, caller);
  }
}
