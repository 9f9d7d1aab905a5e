import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import {
  type KnownService,
  ServiceDirectory,
  type ServicePrincipal,
  type TokenPrincipal,
  TokenVerifier,
} from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { DatabaseClock } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { MetricSources } from '#libs/platform/monitoring';
import { RevocationsService } from '#libs/security/revocation';

import {
  judgeAccessToken,
  type ServiceBearer,
  servicePrincipalOf,
  type TokenState,
  type TokenVerdict,
  type VerifiedToken,
} from './access-token.js';
import { JwtStrategy } from './jwt.strategy.js';
import { VerifiedTokenCache } from './verified-token-cache.js';

/** What the guard asks. The signature is checked once; whether a token is good, each time. */
@Injectable()
export class AccessTokenVerifier extends TokenVerifier implements OnModuleInit {
  readonly cache = new VerifiedTokenCache();
  readonly #state: TokenState;

  constructor(
    private readonly strategy: JwtStrategy,
    private readonly revocations: RevocationsService,
    private readonly metrics: MetricSources,
    private readonly clock: DatabaseClock,
    private readonly services: ServiceDirectory,
    @Inject(CONFIG) { ISSUER, AUDIENCE }: Config,
  ) {
    super();
    this.#state = { issuer: ISSUER, audience: AUDIENCE };
  }

  onModuleInit(): void {
    const { cache } = this;
    this.metrics.register(
      {
        name: 'token_cache_lookups_total',
        help: 'Look-ups in the cache of verified access tokens; a miss costs a signature check',
        kind: 'counter',
        labelNames: ['result'],
        read: () => [
          { labels: { result: 'hit' }, value: cache.hits },
          { labels: { result: 'miss' }, value: cache.misses },
        ],
      },
      {
        name: 'token_cache_entries',
        help: 'Access tokens in the cache of verified ones',
        kind: 'gauge',
        read: () => cache.size,
      },
    );
  }

  override verify(token: string): TokenPrincipal | Promise<TokenPrincipal> {
    const known = this.cache.get(token);
    return known ? this.#admit(token, known) : this.#verifyAnew(token);
  }

  override async verifyService(token: string): Promise<ServicePrincipal | undefined> {
    const cached = this.cache.get(token);
    const read = cached ?? (await this.strategy.read(token));
    if ('fault' in read || read.principal.kind === 'user') return undefined;
    if (!cached) this.cache.set(token, read);
    const caller = await this.#admit(token, read);
    return caller.kind === 'service' ? caller : undefined;
  }

  /**
   * Whether a token is good now, by this replica's view of the revocations; for Gatehouse itself
   * unless another audience is given, or null for anybody's.
   * Needs no promise while that view is fresh. @throws as `RevocationsService.isRevoked`
   */
  judge(
    { claims, facts }: VerifiedToken,
    audience: TokenState['audience'] = this.#state.audience,
  ): TokenVerdict | Promise<TokenVerdict> {
    const { issuer } = this.#state;
    const verdict = judgeAccessToken(claims, { issuer, audience }, this.clock.nowMs() / 1000);
    // asked last: while the view is stale, it costs a statement
    const isRevoked = verdict === 'accepted' && this.revocations.isRevoked(facts);
    if (typeof isRevoked === 'boolean') return isRevoked ? 'revoked' : verdict;
    return isRevoked.then((isTrue) => (isTrue ? 'revoked' : verdict));
  }

  async #verifyAnew(token: string): Promise<TokenPrincipal> {
    const read = await this.strategy.read(token);
    if ('fault' in read) throw new AppError('invalid-token');
    this.cache.set(token, read);
    return this.#admit(token, read);
  }

  #admit(token: string, known: VerifiedToken): TokenPrincipal | Promise<TokenPrincipal> {
    const verdict = this.judge(known);
    if (typeof verdict === 'string') return this.#settle(token, known, verdict);
    return verdict.then((settled) => this.#settle(token, known, settled));
  }

  #settle(
    token: string,
    { principal }: VerifiedToken,
    verdict: TokenVerdict,
  ): TokenPrincipal | Promise<TokenPrincipal> {
    if (verdict === 'accepted') return principal.kind === 'user' ? principal : this.#findService(principal);
    this.cache.delete(token);
    throw new AppError('invalid-token');
  }

  /** @throws AppError `invalid-token` when no active service has the name */
  #findService(bearer: ServiceBearer): ServicePrincipal | Promise<ServicePrincipal> {
    const known = this.services.find(bearer.name);
    return known instanceof Promise ? known.then((service) => asNow(service, bearer)) : asNow(known, bearer);
  }
}

function asNow(known: KnownService | undefined, bearer: ServiceBearer): ServicePrincipal {
  if (!known) throw new AppError('invalid-token');
  return servicePrincipalOf(known, bearer);
}
