import { Inject, Injectable } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';

import type { TokenPair } from '../auth.schema.js';
import type { SessionUser } from '../sessions/sessions.repository.js';
import { TokenIssuer } from './token-issuer.service.js';

/** What a login and a refresh answer: a new access token beside the refresh token of the session. */
@Injectable()
export class TokenPairs {
  constructor(
    private readonly issuer: TokenIssuer,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Call before anything is written that a pair shall be made for. */
  prepare(): Promise<void> {
    return this.issuer.prepare();
  }

  make(sessionId: string, user: SessionUser, refreshToken: string): TokenPair {
    const { user_id: userId, client_id: clientId, roles, token_generation: tokenGeneration } = user;
    return {
      accessToken: this.issuer.issue({ userId, sessionId, clientId, roles, tokenGeneration }),
      tokenType: 'Bearer',
      expiresIn: this.config.ACCESS_TOKEN_TTL_SECONDS,
      refreshToken,
      refreshExpiresIn: Math.floor(user.remaining_s),
      sessionId,
    };
  }
}
