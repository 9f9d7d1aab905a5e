import type { IncomingHttpHeaders } from 'node:http';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, Logger } from '@nestjs/common';

import { AuditBursts } from '#libs/security/audit';
import { isUser, ownClientId, type Principal, type RequestSource, type UserPrincipal } from '#libs/platform/access';
import { uuidV7 } from '#libs/platform/crypto';
import { AppError } from '#libs/platform/errors';
import type { Revoke } from '#libs/security/revocation';

import { type TokenAudience, TokenAudiences } from '../tokens/token-audiences.js';
import { TokenIssuerService, type TokenSubject } from '../tokens/token-issuer.service.js';
import type { AccessToken, TokenPair } from '../tokens/tokens.schema.js';
import { hashOf, type RefreshToken, RefreshTokens } from './refresh-tokens.js';
import { type EndReason, SessionEndService } from './session-end.service.js';
import { assertUser } from './session-owner.js';
import { type RefreshableSession, SessionsRepository, type StoredSession } from './sessions.repository.js';
import type { SessionList, SessionView } from './sessions.schema.js';

/** A session to be written; the key of `keyId` will sign its first access token. */
export type NewSession = {
  readonly id: string;
  readonly refreshHash: Buffer;
  readonly clientId: string;
  readonly keyId: string;
};
type StartedSession = TokenSubject & { readonly wasFull: boolean };

/** Begins sessions and keeps them going: each refresh token is good for the next one. */
@Injectable()
export class SessionsService {
  readonly #logger = new Logger('Sessions');

  constructor(
    private readonly sessions: SessionsRepository,
    private readonly refreshTokens: RefreshTokens,
    private readonly tokens: TokenIssuerService,
    private readonly sessionEnd: SessionEndService,
    private readonly bursts: AuditBursts,
    private readonly audiences: TokenAudiences,
  ) {}

  /** Whom tokens may be for. @throws as `TokenAudiences.find` */
  findAudience(wanted: string | undefined): Promise<TokenAudience> {
    return this.audiences.find(wanted);
  }

  /**
   * Begins a session for the user whom `record` admits.
   * @param record writes the session; `wasFull` when the user had `SESSIONS_PER_USER` before it
   * @returns nothing when `record` does
   * @throws AppError `unavailable` without a key to sign with; then nothing is recorded
   */
  async start(
    record: (session: NewSession) => Promise<StartedSession | undefined>,
    source: RequestSource,
    audience: TokenAudience,
  ): Promise<TokenPair | undefined> {
    // first of all: what cannot be answered must not be recorded
    await this.tokens.prepare();
    const key = this.tokens.signingKey();
    const id = uuidV7();
    const { token, hash: refreshHash } = this.refreshTokens.first(id);
    const clientId = source.caller.kind === 'service' ? source.caller.name : ownClientId;
    const user = await record({ id, refreshHash, clientId, keyId: key.id });
    if (!user) return undefined;
    if (user.wasFull) await this.#endSurplus(user.userId, source);
    return this.tokens.issuePair(id, user, { refreshToken: token, key, audience });
  }

  /**
   * A new access token of a session whose user `record` admits; its refresh tokens go on.
   * @returns nothing when `record` does
   * @throws AppError `unavailable` without a key to sign with; then nothing is recorded
   */
  async renewAccess(
    sessionId: string,
    record: (keyId: string) => Promise<TokenSubject | undefined>,
  ): Promise<AccessToken | undefined> {
    // first of all: what cannot be answered must not be recorded
    await this.tokens.prepare();
    const key = this.tokens.signingKey();
    const user = await record(key.id);
    return user && this.tokens.issue(sessionId, user, { key });
  }

  /**
   * The next tokens of a session. A retry within the grace gets the same child, so that parallel
   * refreshes and lost answers log nobody out; any later reuse ends the session (RFC 9700 §4.14.2).
   * @param wanted audience of the access token, in any spelling
   * @throws AppError `invalid-refresh-token`, also for another service's; `unavailable`;
   * `unknown-audience`, and the refresh token is not used
   */
  async refresh(token: string, source: RequestSource, wanted?: string): Promise<TokenPair> {
    const parent = this.refreshTokens.parse(token);
    if (!parent) throw new AppError('invalid-refresh-token');
    // first of all: what cannot be answered must not be recorded
    const audience = await this.audiences.find(wanted);
    await this.tokens.prepare();
    const key = this.tokens.signingKey();
    const child = this.refreshTokens.childOf(parent);
    const hashes = { parent: hashOf(parent), child: child.hash };
    const user =
      (await this.sessions.rotate(parent.sessionId, hashes, source)) ??
      (await this.sessions.findRetried(parent.sessionId, hashes, source));
    if (user) return this.tokens.issuePair(parent.sessionId, user, { refreshToken: child.token, key, audience });
    await this.#endIfReused(parent, source);
    throw new AppError('invalid-refresh-token');
  }

  /** Living sessions, last used first. @throws AppError `invalid-token` when the caller has none */
  async list(userId: string, source: RequestSource): Promise<SessionList> {
    const { caller } = source;
    const rows = await this.sessions.list(userId);
    // a caller has at least the session they ask with, unless it was ended a moment ago
    if (rows.length === 0 && isUser(caller) && caller.userId === userId) throw new AppError('invalid-token');
    this.#noteRead([userId], source);
    return { items: rows.map((row) => viewOf(row, caller)) };
  }

  /** As `list` for several users at once, in their order and at most so many of each. */
  async listOfMany(userIds: readonly string[], limit: number, source: RequestSource): Promise<SessionView[][]> {
    const { caller } = source;
    const rows = await this.sessions.listOfMany([...new Set(userIds)], limit);
    this.#noteRead(userIds, source);
    const byUser = Map.groupBy(rows, ({ userId }) => userId);
    const isOver = isUser(caller) && userIds.includes(caller.userId) && !byUser.has(caller.userId);
    if (isOver) throw new AppError('invalid-token');
    return userIds.map((id) => (byUser.get(id) ?? []).map((session) => viewOf(session, caller)));
  }

  /** @throws AppError `session-not-found`, also for another's; `invalid-token` for the caller's */
  async end(id: string, userId: string, reason: EndReason): Promise<void> {
    const { source } = reason;
    if ((await this.sessions.findOwner(id)) !== userId) {
      const isOwn = source !== 'operator' && isUser(source.caller) && source.caller.sessionId === id;
      throw new AppError(isOwn ? 'invalid-token' : 'session-not-found');
    }
    await this.sessionEnd.end(userId, { only: id }, reason);
  }

  /**
   * Ends the session of the access token, that of a refresh token, or both. A refresh token needs
   * no access token beside it; one that is not ours is answered like one that is (RFC 7009 §2.2).
   * @throws AppError `invalid-token`, `authentication-required`, `forbidden` when there is neither
   */
  async logout(refreshToken: string | undefined, source: RequestSource, headers: IncomingHttpHeaders): Promise<void> {
    const { caller } = source;
    const reason = { cause: 'logout', event: 'logged-out', source } as const;
    if (refreshToken === undefined) assertUser(caller, headers);
    if (isUser(caller)) await this.sessionEnd.end(caller.userId, { only: caller.sessionId }, reason);
    if (refreshToken !== undefined) await this.endByToken(refreshToken, reason);
  }

  /** Ends the session of a refresh token. Any token of its family will do, the used ones too. */
  async endByToken(refreshToken: string, reason: EndReason): Promise<void> {
    const parsed = this.refreshTokens.parse(refreshToken);
    const owner = parsed && (await this.sessions.findOwner(parsed.sessionId));
    if (parsed && owner !== undefined) await this.sessionEnd.end(owner, { only: parsed.sessionId }, reason);
  }

  /** The living session that a refresh token keeps going; nothing for a used one. */
  async findByToken(refreshToken: string): Promise<(RefreshableSession & { sessionId: string }) | undefined> {
    const parsed = this.refreshTokens.parse(refreshToken);
    const session = parsed && (await this.sessions.findByToken(parsed.sessionId, hashOf(parsed)));
    return parsed && session && { ...session, sessionId: parsed.sessionId };
  }

  /** Ends all sessions of a user as a part of another cause. */
  async endAllWithin(em: SqlEntityManager, revoke: Revoke, userId: string, reason: EndReason): Promise<void> {
    await this.sessionEnd.endWithin(em, revoke, userId, 'all', reason);
  }

  /** Before a transaction that issues tokens: it must not wait for a second connection. */
  prepareTokens(): Promise<void> {
    return this.tokens.prepare();
  }

  /**
   * Ends all sessions of a user but one, as a part of another cause. That one gets new tokens, so
   * that a copy of its refresh token is worth nothing.
   * @returns nothing when that session has ended meanwhile
   * @throws AppError `unavailable` without a key to sign with
   */
  async keepOnlyWithin(
    em: SqlEntityManager,
    revoke: Revoke,
    { userId, sessionId }: Pick<UserPrincipal, 'userId' | 'sessionId'>,
    reason: EndReason,
  ): Promise<TokenPair | undefined> {
    const key = this.tokens.signingKey();
    await this.sessionEnd.endWithin(em, revoke, userId, { except: sessionId }, reason);
    const rotation = await this.sessions.lockRotation(em, sessionId);
    if (rotation === undefined) return undefined;
    const { token, hash } = this.refreshTokens.renewed(sessionId, rotation + 1);
    const user = await this.sessions.renew(em, sessionId, hash);
    return user && this.tokens.issuePair(sessionId, user, { refreshToken: token, key });
  }

  /** After the login, not with it: most logins have nothing to end, and stay one statement. */
  async #endSurplus(userId: string, source: RequestSource): Promise<void> {
    try {
      await this.sessionEnd.endSurplus(userId, source);
    } catch (error) {
      // the login is good; the next one tries again
      this.#logger.warn({ err: error, event: 'surplus of sessions not ended' });
    }
  }

  /** An administrator who looks at the sessions of others leaves a trace. */
  #noteRead(userIds: readonly string[], source: RequestSource): void {
    const others = userIds.filter((id) => !isUser(source.caller) || id !== source.caller.userId);
    const [userId] = others;
    if (userId === undefined) return;
    const about = others.length === 1 ? { userId } : { details: { users: others.length } };
    this.bursts.noteRead({ event: 'sessions-read', ...about }, source);
  }

  /** An expired token, and one that was used within the grace, is refused and ends nothing. */
  async #endIfReused({ sessionId, rotation }: RefreshToken, source: RequestSource): Promise<void> {
    const userId = await this.sessions.findOwnerIfReused(sessionId, rotation);
    if (userId === undefined) return;
    const reason = { cause: 'refresh-token-reused', event: 'refresh-token-reused', source } as const;
    await this.sessionEnd.end(userId, { only: sessionId }, reason);
  }
}

function viewOf({ id, createdAt, lastUsedAt, userAgent, ip }: StoredSession, caller: Principal): SessionView {
  return { id, createdAt, lastUsedAt, userAgent, ip, isCurrent: isUser(caller) && id === caller.sessionId };
}
