import { Inject, Injectable } from '@nestjs/common';

import { isUser, type Origin, type Principal } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { uuidV7 } from '#libs/platform/crypto';
import { AppError } from '#libs/platform/errors';
import { rfc3339 } from '#libs/platform/time';

import type { SessionList, SessionView, TokenPair } from '../auth.schema.js';
import { TokenIssuer } from '../tokens/token-issuer.service.js';
import { hashOf, type RefreshToken, RefreshTokens } from './refresh-token.js';
import { SessionEnd, type Why } from './session-end.service.js';
import { type SessionRow, SessionsRepository, type SessionUser } from './sessions.repository.js';

/** Starts sessions and keeps them going: each use of a refresh token gives the next one of its family. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly refreshTokens: RefreshTokens,
    private readonly issuer: TokenIssuer,
    private readonly sessionEnd: SessionEnd,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @returns nothing when the user is gone, deactivated or has another password than the one that was verified */
  async start(user: { id: string; passwordHash: string }, origin: Origin): Promise<TokenPair | undefined> {
    const id = uuidV7();
    const token = this.refreshTokens.first(id);
    const hash = this.#hashOf(token);
    const started = await this.sessions.start({ id, userId: user.id, passwordHash: user.passwordHash, hash }, origin);
    const remaining_s = Math.min(this.config.SESSION_IDLE_SECONDS, this.config.SESSION_TTL_SECONDS);
    return started && this.#pair(id, { ...started, remaining_s }, token);
  }

  /**
   * The next tokens of a session. A retry within the grace gets the same child, so that parallel refreshes and lost
   * answers log nobody out; any later reuse ends the session (RFC 9700 §4.14.2).
   * @throws AppError `invalid-refresh-token`
   */
  async refresh(token: string, origin: Origin): Promise<TokenPair> {
    const parent = this.refreshTokens.parse(token);
    if (!parent) throw new AppError('invalid-refresh-token');
    const child = this.refreshTokens.childOf(parent);
    const hashes = [hashOf(parent), this.#hashOf(child)] as const;
    const user =
      (await this.sessions.rotate(parent.sessionId, ...hashes, origin)) ??
      (await this.sessions.findRetried(parent.sessionId, ...hashes));
    if (user) return this.#pair(parent.sessionId, user, child);
    await this.#endIfReused(parent, origin);
    throw new AppError('invalid-refresh-token');
  }

  /** Living sessions of a user, last used first. */
  async list(userId: string, { caller }: Origin): Promise<SessionList> {
    const rows = await this.sessions.list(userId);
    return { items: rows.map((row) => viewOf(row, caller)) };
  }

  /** As `list` for several users at once, in their order and at most so many of each. */
  async listOfMany(userIds: readonly string[], limit: number, caller: Principal): Promise<SessionView[][]> {
    const rows = await this.sessions.listOfMany([...new Set(userIds)], limit);
    const byUser = Map.groupBy(rows, ({ user_id }) => user_id);
    return userIds.map((id) => (byUser.get(id) ?? []).map((row) => viewOf(row, caller)));
  }

  /** @throws AppError `session-not-found`, also for somebody else's */
  async end(id: string, userId: string, why: Why): Promise<void> {
    const owner = await this.sessions.findOwner(id);
    if (owner?.user_id !== userId) throw new AppError('session-not-found');
    await this.sessionEnd.end(userId, { only: id }, why);
  }

  /** Only a token that we issued and that has been used can be reused; an expired or made-up one is merely refused. */
  async #endIfReused({ sessionId, rotation, isOurs }: RefreshToken, origin: Origin): Promise<void> {
    const session = isOurs ? await this.sessions.findOwner(sessionId) : undefined;
    if (!session || rotation >= session.rotation) return;
    await this.sessionEnd.end(
      session.user_id,
      { only: sessionId },
      { cause: 'refresh-token-reused', event: 'refresh-token-reused', origin },
    );
  }

  #pair(sessionId: string, user: SessionUser, refreshToken: string): TokenPair {
    const { user_id: userId, roles, token_generation: tokenGeneration } = user;
    return {
      accessToken: this.issuer.issue({ userId, sessionId, roles, tokenGeneration }),
      tokenType: 'Bearer',
      expiresIn: this.config.ACCESS_TOKEN_TTL_SECONDS,
      refreshToken,
      refreshExpiresIn: Math.floor(user.remaining_s),
      sessionId,
    };
  }

  #hashOf(token: string): Buffer {
    const parsed = this.refreshTokens.parse(token);
    if (!parsed) throw new Error('A token of our own must be readable');
    return hashOf(parsed);
  }
}

function viewOf(row: SessionRow, caller: Principal): SessionView {
  return {
    id: row.id,
    createdAt: rfc3339(row.created_ms),
    lastUsedAt: rfc3339(row.last_used_ms),
    userAgent: row.user_agent,
    ip: row.ip,
    isCurrent: isUser(caller) && row.id === caller.sessionId,
  };
}
