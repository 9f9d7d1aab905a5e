import { Inject, Injectable } from '@nestjs/common';

import type { RequestSource } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { DatabaseClock } from '#libs/platform/database';

import { SessionEndService } from '../sessions/session-end.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import type { Claims } from '../tokens/access-token.js';
import { AccessTokenVerifier } from '../tokens/access-token.verifier.js';
import { JwtStrategy } from '../tokens/jwt.strategy.js';
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
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** What a token is worth now (RFC 7662). */
  async introspect(token: string): Promise<Introspection> {
    const access = await this.strategy.read(token);
    if ('fault' in access) return this.#introspectRefresh(token);
    const state = await this.verifier.stateFor(access.claims);
    const isGood = (await this.verifier.judge(access, state)) === 'accepted';
    return isGood ? describe(access.claims, state.audience) : { active: false };
  }

  /**
   * Revokes a token that somebody presents (RFC 7009). An access token ends alone, a refresh token
   * ends its session. Other texts and tokens that have expired need no revoking.
   */
  async revoke(token: string, source: RequestSource): Promise<void> {
    const access = await this.strategy.read(token);
    if ('fault' in access) {
      return this.sessions.endByToken(token, { cause: 'token-revoked', event: 'token-revoked', source });
    }
    const verdict = await this.verifier.judge(access, await this.verifier.stateFor(access.claims));
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
      iss: this.config.ISSUER,
      aud: this.config.AUDIENCE,
      sid: session.sessionId,
      client_id: session.clientId,
      token_type: 'refresh_token',
    };
  }
}

/** @param aud the one audience that it was accepted for */
function describe(claims: Claims, aud: string): Introspection {
  const { sub, exp, iat, iss, jti, client_id } = claims;
  const members = { active: true, sub, exp, iat, iss, aud, jti, client_id, token_type: 'Bearer' } as const;
  if (claims.sid === undefined) return { ...members, scope: claims.scope };
  const { sid, roles, auth_time } = claims;
  return { ...members, sid, roles, ...(auth_time !== undefined && { auth_time }) };
}
