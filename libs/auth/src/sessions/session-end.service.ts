import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { type Actor, type AuditEvent, AuditTrail } from '#libs/security/audit';
import type { RequestSource } from '#libs/platform/access';
import { type Revocation, RevocationsService, type Revoke } from '#libs/security/revocation';
import { UsersRepository } from '#libs/users';

import type { VerifiedToken } from '../tokens/access-token.js';
import { type EndedSession, type SessionSelection, SessionsRepository } from './sessions.repository.js';

/** Why sessions end: what the revocations and the audit row say, and who has done it. */
export type EndReason = {
  readonly cause: Revocation['cause'];
  readonly event: AuditEvent['event'];
  readonly source: Actor;
};

const batchRows = 1_000;
/** PGlite works on the main thread: a batch holds up all requests for as long as it takes. */
const surplusRows = 500;

/**
 * Ends sessions: their refresh tokens with the row, their access tokens by revocation, in one
 * transaction.
 */
@Injectable()
export class SessionEndService {
  constructor(
    private readonly revocations: RevocationsService,
    private readonly audit: AuditTrail,
    private readonly users: UsersRepository,
    private readonly sessions: SessionsRepository,
  ) {}

  /** @returns how many ended; idempotent */
  end(userId: string, which: SessionSelection, reason: EndReason): Promise<number> {
    const end = (): Promise<number> =>
      this.revocations.transactional((em, revoke) => this.endWithin(em, revoke, userId, which, reason));
    return which === 'all' ? this.users.turns.take(userId, end) : end();
  }

  /** As `end`, as a part of another cause. */
  async endWithin(
    em: SqlEntityManager,
    revoke: Revoke,
    userId: string,
    which: SessionSelection,
    { cause, event, source }: EndReason,
  ): Promise<number> {
    const ended = await this.sessions.delete(em, userId, which);
    if (which === 'all') {
      // one entry for all of them, exact to the transaction, however many there are
      const raised = await this.users.raiseGenerations(em, userId);
      if (raised) await revoke({ kind: 'user', subject: userId, ...raised, cause });
    } else {
      // revoked even when the row is gone: success must mean that the session's tokens are dead
      const ids = 'only' in which ? [which.only] : ended;
      for (const subject of ids) await revoke({ kind: 'session', subject, cause });
    }
    await this.audit.record({ event, userId, details: { sessions: ended.length } }, source, em);
    return ended.length;
  }

  /**
   * Ends the sessions that a service has begun, within the transaction that ends the service.
   * @returns how many ended
   */
  async endOfClientWithin(
    em: SqlEntityManager,
    revoke: Revoke,
    clientId: string,
    cause: Revocation['cause'],
  ): Promise<number> {
    const ended = await this.sessions.deleteOfClient(em, clientId);
    for (let from = 0; from < ended.length; from += batchRows) {
      await revoke(...revocationsOf(ended.slice(from, from + batchRows), cause));
    }
    return ended.length;
  }

  /**
   * Ends the oldest sessions of a user until `SESSIONS_PER_USER` are left. Each batch has a
   * transaction of its own, so that a user who has very many holds nobody up.
   */
  async endSurplus(userId: string, source: RequestSource): Promise<void> {
    let ended: number;
    do {
      ended = await this.users.turns.take(userId, () => this.#endSurplusBatch(userId, source));
    } while (ended === surplusRows);
  }

  /** Revokes one access token, of a user or of a service. A session goes on. */
  async revokeToken(bearer: VerifiedToken['principal'], source: RequestSource): Promise<void> {
    const { tokenId, expiresAt } = bearer;
    const whose = bearer.kind === 'user' ? { userId: bearer.userId } : { details: { service: bearer.name } };
    await this.revocations.transactional(async (em, revoke) => {
      await revoke({ kind: 'token', subject: tokenId, cause: 'token-revoked', expiresAt });
      await this.audit.record({ event: 'token-revoked', ...whose }, source, em);
    });
  }

  #endSurplusBatch(userId: string, source: RequestSource): Promise<number> {
    return this.revocations.transactional(async (em, revoke) => {
      const ended = await this.sessions.deleteSurplus(em, userId, surplusRows);
      if (ended.length === 0) return 0;
      await revoke(...revocationsOf(ended, 'session-ended'));
      const details = { sessions: ended.length, reason: 'too-many-sessions' };
      await this.audit.record({ event: 'session-ended', userId, details }, source, em);
      return ended.length;
    });
  }
}

/** Sessions last used before the longest life of an access token need none. */
const revocationsOf = (sessions: readonly EndedSession[], cause: Revocation['cause']): Revocation[] =>
  sessions.filter(({ has_tokens }) => has_tokens).map(({ id }) => ({ kind: 'session', subject: id, cause }));
