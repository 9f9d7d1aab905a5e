import { Injectable } from '@nestjs/common';

import type { RequestSource } from '#libs/platform/access';
import { DatabaseClock } from '#libs/platform/database';

import { SessionEndService } from '../sessions/session-end.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { type Claims, declaredIn } from '../tokens/access-token.js';
import { AccessTokenVerifier } from '../tokens/access-token.verifier.js';
import { JwtStrategy } from '../tokens/jwt.strategy.js';
import { TokenAudiences } from '../tokens/token-audiences.js';
import type { Introspection } from './oauth.schema.js';

/** What services ask about tokens, of whichever kind they are. */
@Injectable()
export class OAuthService {
  constructor(
    private readonly strategy: JwtStrategy,
    private readonly verifier: AccessTokenVerifier,
    private readonly sessions: SessionsService,
    private readonly sessionEnd: SessionEndService,
    private readonly clock: DatabaseClock,
    private readonly audiences: TokenAudiences,
  ) {}

  /**
   * What a token is worth now (RFC 7662).
   * @param audience of the service that asks: other access tokens are not active for it; null when
   * it has none, and sees those for every audience that there is
   */
  async introspect(token: string, audience: string | null): Promise<Introspection> {
    const access = await this.strategy.read(token);
    if ('fault' in access) return this.#introspectRefresh(token);
    const { aud } = access.claims;
    if (audience === null && !(await this.audiences.isIssued(aud))) return { active: false };
    const isGood = (await this.verifier.judge(access, audience)) === 'accepted';
    return isGood ? describe(access.claims) : { active: false };
  }

  /**
   * Revokes a token that somebody presents (RFC 7009). An access token ends alone, a refresh token
   * ends its session, whomever they are for. Other texts and tokens that have expired need no
   * revoking.
   */
  async revoke(token: string, source: RequestSource): Promise<void> {
    const access = await this.strategy.read(token);
    if ('fault' in access) {
      return this.sessions.endByToken(token, { cause: 'token-revoked', event: 'token-revoked', source });
    }
    const verdict = await this.verifier.judge(access, null);
    if (verdict === 'accepted' || verdict === 'revoked') await this.sessionEnd.revokeToken(access.principal, source);
  }

  async #introspectRefresh(token: string): Promise<Introspection> {
    const session = await this.sessions.findByToken(token);
    if (!session) return { active: false };
    return {
      active: true,
      sub: session.subject ?? session.userId,
      exp: Math.floor(this.clock.nowMs() / 1000 + session.secondsLeft),
      iat: Math.floor(session.issuedSeconds),
      iss: this.audiences.issuer,
      aud: this.audiences.own.audience,
      sid: session.sessionId,
      client_id: session.clientId,
      token_type: 'refresh_token',
    };
  }
}

/** The members of an access token that is good. */
function describe(claims: Claims): Introspection {
  const { sub, exp, iat, iss, jti, client_id } = claims;
  const members = { active: true, sub, exp, iat, iss, aud: String(claims.aud), jti, client_id } as const;
  if (claims.sid === undefined) return { ...members, token_type: 'Bearer', scope: claims.scope };
  const { sid, roles, permissions, auth_time, amr, acr } = claims;
  return {
    ...declaredIn(claims),
    ...members,
    token_type: 'Bearer',
    sid,
    roles,
    ...(permissions && { permissions }),
    ...(auth_time !== undefined && { auth_time }),
    ...(amr && { amr }),
    ...(acr !== undefined && { acr }),
  };
}
