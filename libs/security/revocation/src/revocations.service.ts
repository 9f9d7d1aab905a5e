import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { ReplicaNotifications, Sql } from '#libs/platform/database';
import { subjectIdOf, type TokenFact } from '#verifier/revocations';

import { renewEpoch } from './feed/feed.sql.js';
import type { EndOfTrust, Entry, Revocation } from './revocation.js';
import { RevocationView } from './view/revocation-view.js';
import { endOf, latestGeneration } from './revocations.sql.js';

/** Writes ends of trust into the running transaction. */
export type Revoke = (...revocations: readonly Revocation[]) => Promise<void>;

/** The one way by which trust in a token ends. */
@Injectable()
export class RevocationsService {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly sql: Sql,
    private readonly view: RevocationView,
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
        entries.push(...(await this.view.publish(em, revocations)));
      });
    });
    this.view.apply(entries);
    await this.notifications.othersHaveHeardOf(ran);
    return result;
  }

  /** Has all who read the feed take everything anew: for when what they know may be wrong. */
  async renewFeedEpoch(em: SqlEntityManager): Promise<void> {
    await em.execute(renewEpoch);
  }

  /**
   * Whether a token is revoked. Needs no promise while this replica's view is fresh; else it asks
   * the table. @throws the error of the database (answered as `unavailable`): it fails closed
   */
  isRevoked(facts: readonly TokenFact[]): boolean | Promise<boolean> {
    return this.view.isRevoked(facts);
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
