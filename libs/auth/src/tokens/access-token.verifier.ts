import { Injectable, type OnModuleInit } from '@nestjs/common';

import { TokenVerifier, type UserPrincipal } from '#libs/platform/access';
import { DatabaseClock } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { MetricSources } from '#libs/platform/monitoring';
import { Revocations } from '#libs/security/revocation';

import type { VerifiedToken } from './access-token.js';
import { JwtStrategy } from './jwt.strategy.js';
import { VerifiedTokenCache } from './verified-token-cache.js';

/** What the guard asks: the signature from the cache or passport-jwt, expiry and revocation anew each time. */
@Injectable()
export class AccessTokenVerifier extends TokenVerifier implements OnModuleInit {
  readonly cache = new VerifiedTokenCache();

  constructor(
    private readonly strategy: JwtStrategy,
    private readonly revocations: Revocations,
    private readonly metrics: MetricSources,
    private readonly clock: DatabaseClock,
  ) {
    super();
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

  override verify(token: string): UserPrincipal | Promise<UserPrincipal> {
    const known = this.cache.get(token);
    return known ? this.#admit(token, known) : this.#verifyAnew(token);
  }

  async #verifyAnew(token: string): Promise<UserPrincipal> {
    const verified = await this.strategy.check(token);
    this.cache.set(token, verified);
    return this.#admit(token, verified);
  }

  #admit(token: string, { principal, facts }: VerifiedToken): UserPrincipal | Promise<UserPrincipal> {
    if (principal.expiresAt <= this.clock.nowMs() / 1000) return this.#refuse(token);
    const revoked = this.revocations.isRevoked(facts);
    if (typeof revoked === 'boolean') return revoked ? this.#refuse(token) : principal;
    return revoked.then((isRevoked) => (isRevoked ? this.#refuse(token) : principal));
  }

  #refuse(token: string): never {
    this.cache.delete(token);
    throw new AppError('invalid-token');
  }
}
