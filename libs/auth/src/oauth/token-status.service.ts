import { Inject, Injectable } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { DatabaseClock } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { Revocations } from '#libs/security/revocation';

import { hashOf, RefreshTokens } from '../sessions/refresh-token.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import type { VerifiedToken } from '../tokens/access-token.js';
import { JwtStrategy } from '../tokens/jwt.strategy.js';
import type { Introspection } from './oauth.schema.js';

/** In characters; ours have some 700. Longer texts need no decoding to be known as strangers'. */
const longestToken = 8_192;

/** What a token is worth now (RFC 7662), whichever kind it is. */
@Injectable()
export class TokenStatus {
  constructor(
    private readonly strategy: JwtStrategy,
    private readonly revocations: Revocations,
    private readonly refreshTokens: RefreshTokens,
    private readonly sessions: SessionsRepository,
    private readonly clock: DatabaseClock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async introspect(token: string): Promise<Introspection> {
    const access = await this.readAccess(token);
    return access ? this.#ofAccess(access) : this.#ofRefresh(token);
  }

  /** The access token that a text is, revoked or not; nothing for anything else. */
  async readAccess(token: string): Promise<VerifiedToken | undefined> {
    if (token.length > longestToken) return undefined;
    try {
      return await this.strategy.check(token);
    } catch (error) {
      if (error instanceof AppError && error.code === 'invalid-token') return undefined;
      throw error;
    }
  }

  async #ofAccess({ claims, facts }: VerifiedToken): Promise<Introspection> {
    if (await this.revocations.isRevoked(facts)) return { active: false };
    const { sub, exp, iat, iss, aud, jti, sid, client_id, roles, auth_time } = claims;
    const of = { sub, exp, iat, iss, aud, jti, sid, client_id, roles };
    return { active: true, ...of, token_type: 'Bearer', ...(auth_time !== undefined && { auth_time }) };
  }

  async #ofRefresh(token: string): Promise<Introspection> {
    const parsed = this.refreshTokens.parse(token);
    const session = parsed && (await this.sessions.findByToken(parsed.sessionId, hashOf(parsed)));
    if (!parsed || !session) return { active: false };
    return {
      active: true,
      sub: session.user_id,
      exp: Math.floor(this.clock.nowMs() / 1000 + session.remaining_s),
      iat: Math.floor(session.issued_s),
      iss: this.config.ISSUER,
      aud: this.config.AUDIENCE,
      sid: parsed.sessionId,
      client_id: session.client_id,
      token_type: 'refresh_token',
    };
  }
}
