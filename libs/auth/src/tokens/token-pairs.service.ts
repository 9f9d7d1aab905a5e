import { Injectable } from '@nestjs/common';

import type { TokenPair } from '../auth.schema.js';
import type { SessionUser } from '../sessions/sessions.repository.js';
import { type SigningKey, TokenIssuer } from './token-issuer.service.js';

/** Of which session, and the refresh token that keeps it going. */
export type PairSubject = {
  readonly sessionId: string;
  readonly user: SessionUser;
  readonly refreshToken: string;
};

/** What a login and a refresh answer: a new access token beside the refresh token of the session. */
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
    const { user_id: userId, client_id: clientId, roles, token_generation: tokenGeneration } = user;
    const subject = { userId, sessionId, clientId, roles, tokenGeneration, sessionSecondsLeft: user.remaining_s };
    return {
      ...this.issuer.issue(subject, key),
      tokenType: 'Bearer',
      refreshToken,
      refreshExpiresIn: Math.floor(user.remaining_s),
      sessionId,
    };
  }
}
