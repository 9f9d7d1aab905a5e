import { Inject, Injectable, Logger } from '@nestjs/common';

import type { RequestSource } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { uuidV7 } from '#libs/platform/crypto';

import type { TokenPair } from '../auth.schema.js';
import { RefreshTokens } from '../sessions/refresh-token.js';
import { SessionEnd } from '../sessions/session-end.service.js';
import { clientOf } from '../tokens/access-token.js';
import { TokenPairs } from '../tokens/token-pairs.service.js';
import type { Attempt } from './login-delays.repository.js';
import { LoginOutcomes } from './login-outcomes.repository.js';

/** Begins a session after a right password. */
@Injectable()
export class SessionStart {
  readonly #logger = new Logger('SessionStart');

  constructor(
    private readonly outcomes: LoginOutcomes,
    private readonly refreshTokens: RefreshTokens,
    private readonly pairs: TokenPairs,
    private readonly sessionEnd: SessionEnd,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @returns nothing when the account is delayed, gone, deactivated or has another password than the one verified */
  async start(passwordHash: string, attempt: Attempt, source: RequestSource): Promise<TokenPair | undefined> {
    // first of all: what cannot be answered must not be recorded
    await this.pairs.prepare();
    const key = this.pairs.signingKey();
    const id = uuidV7();
    const { token, hash: refreshHash } = this.refreshTokens.first(id);
    const client_id = clientOf(source.caller);
    const session = { id, userId: attempt.subject, passwordHash, refreshHash, clientId: client_id, keyId: key.id };
    const user = await this.outcomes.admit(session, attempt, source);
    if (!user) return undefined;
    if (user.was_full) await this.#endSurplus(session.userId, source);
    const remaining_s = Math.min(this.config.SESSION_IDLE_SECONDS, this.config.SESSION_TTL_SECONDS);
    return this.pairs.make({ sessionId: id, user: { ...user, client_id, remaining_s }, refreshToken: token }, key);
  }

  /** After the login rather than with it: nearly all logins have nothing to end, and stay one statement. */
  async #endSurplus(userId: string, source: RequestSource): Promise<void> {
    try {
      await this.sessionEnd.endSurplus(userId, source);
    } catch (error) {
      // the login is good; the next one tries again
      this.#logger.warn({ err: error, event: 'surplus of sessions not ended' });
    }
  }
}
