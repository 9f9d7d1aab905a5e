import { Injectable } from '@nestjs/common';

import type { AccessToken, TokenPair } from '../auth.schema.js';
import type { SessionUser } from '../sessions/sessions.repository.js';
import { type SigningKey, TokenIssuer } from './token-issuer.service.js';

/** Of which session, and the refresh token that keeps it going. */
export type PairSubject = {
  readonly sessionId: string;
  readonly user: SessionUser;
  readonly refreshToken: string;
};

/** What is answered with a new access token: alone, or beside the refresh token of the session. */
@Injectable()
export class TokenPairs {
  constructor(private readonly issuer: TokenIssuer) {}

  /** Call before anything is written that a pair shall be made for. */
  prepare(): Promise<void> {
    return this.issuer.prepare();
  }

  /** To be taken before anything is written. @throws AppError `unavailable` */
  signingKey(): SigningKey {
    return this.issuer.signingKey();
  }

  make({ sessionId, user, refreshToken }: PairSubject, key: SigningKey): TokenPair {
    const refreshExpiresIn = Math.floor(user.remaining_s);
    return { ...this.access(sessionId, user, key), refreshToken, refreshExpiresIn };
  }

  /** A new access token alone. */
  access(sessionId: string, user: SessionUser, key: SigningKey): AccessToken {
    const subject = {
      userId: user.user_id,
      sessionId,
      clientId: user.client_id,
      roles: user.roles,
      tokenGeneration: user.token_generation,
      authTime: user.auth_time,
      sessionSecondsLeft: user.remaining_s,
    };
    return {
      ...this.issuer.issue(subject, key),
      tokenType: 'Bearer',
      sessionId,
    };
  }
}
