import type { IncomingHttpHeaders } from 'node:http';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { AuditBursts } from '#libs/security/audit';
import { isUser, type RequestSource, type Principal, type UserPrincipal } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { toRfc3339 } from '#libs/platform/contract';
import type { Revoke } from '#libs/security/revocation';

import type { SessionList, SessionView, TokenPair } from '../auth.schema.js';
import { TokenPairs } from '../tokens/token-pairs.service.js';
import { hashOf, type RefreshToken, RefreshTokens } from './refresh-token.js';
import { assertUser } from './session-access.js';
import { SessionEnd, type Why } from './session-end.service.js';
import { type SessionRow, SessionsRepository } from './sessions.repository.js';

/** Keeps sessions going: each use of a refresh token gives the next one of its family. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly refreshTokens: RefreshTokens,
    private readonly pairs: TokenPairs,
    private readonly sessionEnd: SessionEnd,
    private readonly bursts: AuditBursts,
  ) {}

  /**
   * The next tokens of a session. A retry within the grace gets the same child, so that parallel refreshes and lost
   * answers log nobody out; any later reuse ends the session (RFC 9700 §4.14.2).
   * @throws AppError `invalid-refresh-token`, also for another service's; `unavailable` without a key to sign with
   */
  async refresh(token: string, source: RequestSource): Promise<TokenPair> {
    const parent = this.refreshTokens.parse(token);
    if (!parent) throw new AppError('invalid-refresh-token');
    // first of all: what cannot be answered must not be recorded
    await this.pairs.prepare();
    const key = this.pairs.signingKey();
    const child = this.refreshTokens.childOf(parent);
    const hashes = { parent: hashOf(parent), child: child.hash };
    const user =
      (await this.sessions.rotate(parent.sessionId, hashes, source)) ??
      (await this.sessions.findRetried(parent.sessionId, hashes, source));
    if (user) return this.pairs.make({ sessionId: parent.sessionId, user, refreshToken: child.token }, key);
    await this.#endIfReused(parent, source);
    throw new AppError('invalid-refresh-token');
  }

  /** Living sessions of a user, last used first. @throws AppError `invalid-token` when the caller has none left */
  async list(userId: string, source: RequestSource): Promise<SessionList> {
    const { caller } = source;
    const rows = await this.sessions.list(userId);
    // who asks for their own has at least the one they ask with, unless it was ended elsewhere a moment ago
    if (rows.length === 0 && isUser(caller) && caller.userId === userId) throw new AppError('invalid-token');
    this.#noteRead([userId], source);
    return { items: rows.map((row) => viewOf(row, caller)) };
  }

  /** As `list` for several users at once, in their order and at most so many of each. */
  async listOfMany(userIds: readonly string[], limit: number, source: RequestSource): Promise<SessionView[][]> {
    const { caller } = source;
    const rows = await this.sessions.listOfMany([...new Set(userIds)], limit);
    this.#noteRead(userIds, source);
    const byUser = Map.groupBy(rows, ({ user_id }) => user_id);
    const isOver = isUser(caller) && userIds.includes(caller.userId) && !byUser.has(caller.userId);
    if (isOver) throw new AppError('invalid-token');
    return userIds.map((id) => (byUser.get(id) ?? []).map((row) => viewOf(row, caller)));
  }

  /** @throws AppError `session-not-found`, also for somebody else's; `invalid-token` when it is the caller's */
  async end(id: string, userId: string, why: Why): Promise<void> {
    const owner = await this.sessions.findOwner(id);
    if (owner?.user_id !== userId) {
      const caller = why.source === 'operator' ? undefined : why.source.caller;
      const isOwn = caller !== undefined && isUser(caller) && caller.sessionId === id;
      throw new AppError(isOwn ? 'invalid-token' : 'session-not-found');
    }
    await this.sessionEnd.end(userId, { only: id }, why);
  }

  /**
   * Ends the session of the access token, that of a refresh token, or both. A refresh token needs no access token beside
   * it, and one that is not ours is answered like one that is (RFC 7009 §2.2).
   * @throws AppError `invalid-token`, `authentication-required`, `forbidden` when there is neither
   */
  async logout(refreshToken: string | undefined, source: RequestSource, headers: IncomingHttpHeaders): Promise<void> {
    const { caller } = source;
    const why = { cause: 'logout', event: 'logged-out', source } as const;
    if (refreshToken === undefined) assertUser(caller, headers);
    if (isUser(caller)) await this.sessionEnd.end(caller.userId, { only: caller.sessionId }, why);
    if (refreshToken !== undefined) await this.endByToken(refreshToken, why);
  }

  /**
   * Ends the session of a refresh token. Any token of the family will do, the used ones too: whoever holds one wants the
   * session to be over.
   */
  async endByToken(refreshToken: string, why: Why): Promise<void> {
    const parsed = this.refreshTokens.parse(refreshToken);
    const owner = parsed && (await this.sessions.findOwner(parsed.sessionId));
    if (parsed && owner) await this.sessionEnd.end(owner.user_id, { only: parsed.sessionId }, why);
  }

  /** Ends all sessions of a user as a part of another cause. */
  async endAllWithin(em: SqlEntityManager, revoke: Revoke, userId: string, why: Why): Promise<void> {
    await this.sessionEnd.endWithin(em, revoke, userId, 'all', why);
  }

  /** Before a transaction that issues tokens: it must not wait for a second connection. */
  prepareTokens(): Promise<void> {
    return this.pairs.prepare();
  }

  /**
   * Ends all sessions of a user but one, as a part of another cause. That one gets new tokens: whoever has a copy of its
   * refresh token is left with nothing.
   * @returns nothing if that session has ended meanwhile
   * @throws AppError `unavailable` without a key to sign with
   */
  async keepOnlyWithin(
    em: SqlEntityManager,
    revoke: Revoke,
    { userId, sessionId }: Pick<UserPrincipal, 'userId' | 'sessionId'>,
    why: Why,
  ): Promise<TokenPair | undefined> {
    const key = this.pairs.signingKey();
    await this.sessionEnd.endWithin(em, revoke, userId, { except: sessionId }, why);
    const rotation = await this.sessions.lockRotation(em, sessionId);
    if (rotation === undefined) return undefined;
    const { token, hash } = this.refreshTokens.renewed(sessionId, rotation + 1);
    const user = await this.sessions.renew(em, sessionId, hash);
    return user && this.pairs.make({ sessionId, user, refreshToken: token }, key);
  }

  /** An administrator who looks at the sessions of others leaves a trace. */
  #noteRead(userIds: readonly string[], source: RequestSource): void {
    const others = userIds.filter((id) => !isUser(source.caller) || id !== source.caller.userId);
    const [userId] = others;
    if (userId === undefined) return;
    const about = others.length === 1 ? { userId } : { details: { users: others.length } };
    this.bursts.noteRead({ event: 'sessions-read', ...about }, source);
  }

  /** Only a token that has been used can be reused; an expired one, or one used just now, is merely refused. */
  async #endIfReused({ sessionId, rotation }: RefreshToken, source: RequestSource): Promise<void> {
    const session = await this.sessions.findOwnerIfReused(sessionId, rotation);
    if (!session) return;
    await this.sessionEnd.end(
      session.user_id,
      { only: sessionId },
      { cause: 'refresh-token-reused', event: 'refresh-token-reused', source },
    );
  }
}

function viewOf(row: SessionRow, caller: Principal): SessionView {
  return {
    id: row.id,
    createdAt: toRfc3339(row.created_ms),
    lastUsedAt: toRfc3339(row.last_used_ms),
    userAgent: row.user_agent,
    ip: row.ip,
    isCurrent: isUser(caller) && row.id === caller.sessionId,
  };
}
