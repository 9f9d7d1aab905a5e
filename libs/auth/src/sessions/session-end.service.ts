import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { type AuditEvent, AuditTrail } from '#libs/security/audit';
import type { RequestSource } from '#libs/platform/access';
import { type Revocation, Revocations, type Revoke } from '#libs/security/revocation';
import { UserTurns } from '#libs/users';

import { type EndedSession, longestTokenSeconds, SessionsRepository } from './sessions.repository.js';

/** Which of a user's sessions end. */
export type Ended = { readonly only: string } | { readonly except: string } | 'all';
export type Why = {
  readonly cause: Revocation['cause'];
  readonly event: AuditEvent['event'];
  /** The request, or the operator at the command line. */
  readonly source: RequestSource | 'operator';
};

const batchRows = 1_000;
/** PGlite works on the main thread: a batch holds up all requests for as long as it takes. */
const surplusRows = 500;

/** Ends sessions: their refresh tokens with the row, their access tokens by revocation, in one transaction. */
@Injectable()
export class SessionEnd {
  constructor(
    private readonly revocations: Revocations,
    private readonly audit: AuditTrail,
    private readonly turns: UserTurns,
    private readonly sessions: SessionsRepository,
  ) {}

  /** @returns how many ended; idempotent */
  end(userId: string, ended: Ended, why: Why): Promise<number> {
    const end = (): Promise<number> =>
      this.revocations.transactional((em, revoke) => this.endWithin(em, revoke, userId, ended, why));
    return ended === 'all' ? this.turns.take(userId, end) : end();
  }

  /** As `end`, as a part of another cause. */
  async endWithin(em: SqlEntityManager, revoke: Revoke, userId: string, ended: Ended, why: Why): Promise<number> {
    const sessions = await this.#delete(em, userId, ended);
    if (ended === 'all') await this.#revokeAll(em, revoke, userId, why);
    else {
      // the session of a live token is revoked even if its row is gone: success must mean that it is over
      const ids = 'only' in ended ? [ended.only] : sessions;
      for (const subject of ids) await revoke({ kind: 'session', subject, cause: why.cause });
    }
    await this.audit.record({ event: why.event, userId, details: { sessions: sessions.length } }, why.source, em);
    return sessions.length;
  }

  /**
   * Ends the sessions that a service has begun, within the transaction that ends the service. Those that were used
   * within the longest life of an access token have tokens to be revoked; the others do not.
   * @returns how many ended
   */
  async endOfClientWithin(
    em: SqlEntityManager,
    revoke: Revoke,
    clientId: string,
    cause: Revocation['cause'],
  ): Promise<number> {
    const sessions = await em.execute<EndedSession[]>(
      `delete from sessions where client_id = ?
        returning id, last_used_at > now() - make_interval(secs => ?) as has_tokens`,
      [clientId, longestTokenSeconds],
    );
    for (let from = 0; from < sessions.length; from += batchRows) {
      // oxlint-disable-next-line no-await-in-loop -- one connection does one thing after the other
      await revoke(...endsOf(sessions.slice(from, from + batchRows), cause));
    }
    return sessions.length;
  }

  /**
   * Ends the oldest sessions of a user until `SESSIONS_PER_USER` are left, a batch in each transaction, so that a user who
   * has very many holds nobody up.
   */
  async endSurplus(userId: string, source: RequestSource): Promise<void> {
    let ended: number;
    do {
      // oxlint-disable-next-line no-await-in-loop -- each batch is what is the surplus then
      ended = await this.turns.take(userId, () => this.#endSurplusBatch(userId, source));
    } while (ended === surplusRows);
  }

  /** Records that one access token was revoked, within its transaction. */
  async recordRevoked(em: SqlEntityManager, userId: string, source: RequestSource): Promise<void> {
    await this.audit.record({ event: 'token-revoked', userId }, source, em);
  }

  #endSurplusBatch(userId: string, source: RequestSource): Promise<number> {
    return this.revocations.transactional(async (em, revoke) => {
      const sessions = await this.sessions.deleteSurplus(em, userId, surplusRows);
      if (sessions.length === 0) return 0;
      await revoke(...endsOf(sessions, 'session-ended'));
      const details = { sessions: sessions.length, reason: 'too-many-sessions' };
      await this.audit.record({ event: 'session-ended', userId, details }, source, em);
      return sessions.length;
    });
  }

  async #delete(em: SqlEntityManager, userId: string, ended: Ended): Promise<readonly string[]> {
    const { text, values } = conditionOf(ended);
    const rows = await em.execute<{ id: string }[]>(`delete from sessions where user_id = ? ${text} returning id`, [
      userId,
      ...values,
    ]);
    return rows.map(({ id }) => id);
  }

  /** One entry for all of them, exact to the transaction, however many there are. */
  async #revokeAll(em: SqlEntityManager, revoke: Revoke, userId: string, { cause }: Why): Promise<void> {
    const [user] = await em.execute<{ generation: number }[]>(
      `update users set token_generation = token_generation + 1, session_generation = session_generation + 1
        where id = ? returning token_generation as generation`,
      [userId],
    );
    if (user) await revoke({ kind: 'user', subject: userId, generation: user.generation, cause });
  }
}

const endsOf = (sessions: readonly EndedSession[], cause: Revocation['cause']): Revocation[] =>
  sessions.filter(({ has_tokens }) => has_tokens).map(({ id }) => ({ kind: 'session', subject: id, cause }));

function conditionOf(ended: Ended): { text: string; values: readonly string[] } {
  if (ended === 'all') return { text: '', values: [] };
  return 'only' in ended
    ? { text: 'and id = ?', values: [ended.only] }
    : { text: 'and id <> ?', values: [ended.except] };
}
