import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { ReplicaNotifications, Sql } from '#libs/platform/database';

import type { EndOfTrust, Entry, Revocation } from './revocation.js';
import { RevocationFeed } from './revocation-feed.js';
import { endOf, latestGeneration } from './revocations.sql.js';
import { subjectIdOf, type TokenFact } from './token-fact.js';

/** Writes ends of trust into the running transaction. */
export type Revoke = (...revocations: readonly Revocation[]) => Promise<void>;

/** The one way by which trust in a token ends. */
@Injectable()
export class RevocationsService {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly sql: Sql,
    private readonly feed: RevocationFeed,
    private readonly notifications: ReplicaNotifications,
  ) {}

  /**
   * Runs a cause and the ends of trust it brings in one transaction: both happen or neither does.
   * When the promise resolves, this replica knows of them, and so do the others unless their
   * connection is silently dead. The same holds for whatever else the transaction has announced:
   * who is told "made" or "changed" finds it so everywhere.
   */
  async transactional<T>(work: (em: SqlEntityManager, revoke: Revoke) => Promise<T>): Promise<T> {
    let entries: Entry[] = [];
    let ran = this.em;
    const result = await this.em.fork().transactional((em) => {
      // a transaction that lost against another runs again; what it had revoked was rolled back
      entries = [];
      ran = em;
      return work(em, async (...revocations) => {
        entries.push(...(await this.feed.publish(em, revocations)));
      });
    });
    this.feed.apply(entries);
    await this.notifications.othersHaveHeardOf(ran);
    return result;
  }

  /**
   * Whether a token is revoked. Needs no promise while this replica's view is fresh; else it asks
   * the table. @throws the error of the database (answered as `unavailable`): it fails closed
   */
  isRevoked(facts: readonly TokenFact[]): boolean | Promise<boolean> {
    return this.feed.isRevoked(facts);
  }

  /** What ended a token, the first of all that do, as the table says. */
  findEnd(facts: readonly TokenFact[]): Promise<EndOfTrust | undefined> {
    const columns = [
      facts.map(({ kind }) => kind),
      facts.map(({ subjectId }) => subjectId),
      facts.map(({ generation }) => generation),
    ];
    return this.sql.row(endOf, columns);
  }

  /**
   * The generation below which tokens of a name are ended; 0 when none is. Whoever takes a name
   * anew begins with it, so that the end of the one before does not end their tokens.
   */
  async latestGeneration(em: SqlEntityManager, kind: 'service', name: string): Promise<number> {
    const [row] = await em.execute<{ generation: number }[]>(latestGeneration, [kind, subjectIdOf(kind, name)]);
    return row?.generation ?? 0;
  }
}
