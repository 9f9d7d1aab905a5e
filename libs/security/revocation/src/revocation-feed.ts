import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';

import { type ChangeView, ReplicaNotifications, DatabaseClock, Sql } from '#libs/platform/database';
import { MetricSources, ReadinessChecks } from '#libs/platform/monitoring';

import { type Entry, type Revocation, revocationKinds } from './revocation.js';
import { type History, readFrom, readHistory } from './history.js';
import { RevocationTable } from './revocation-table.js';
import { RevocationRetention } from './revocation-retention.js';
import { isNamed, subjectIdOf, type TokenFact } from './token-fact.js';
import { bySubjects, insertEntries, livePage } from './revocations.sql.js';

const topic = 'revocation';
const pageRows = 10_000;
const notice = z.tuple([z.enum(revocationKinds), z.uuid(), z.int(), z.int()]);

type Page = { rows: number; last: string | null; entries: Uint8Array | null };

/** This replica's view of the live entries, fed by `ReplicaNotifications`. */
@Injectable()
export class RevocationFeed implements OnModuleInit {
  readonly #table = new RevocationTable();
  /** Entries of older transactions have been read; younger ones were heard while the feed lived. */
  #history: History | undefined;
  #view: ChangeView | undefined;

  constructor(
    private readonly sql: Sql,
    private readonly notifications: ReplicaNotifications,
    private readonly checks: ReadinessChecks,
    private readonly metrics: MetricSources,
    private readonly clock: DatabaseClock,
    private readonly retention: RevocationRetention,
  ) {}

  onModuleInit(): void {
    const view = this.notifications.subscribe(topic, {
      onChange: (payload) => this.#hear(payload),
      catchUp: () => this.#catchUp(),
    });
    this.#view = view;
    this.checks.register('revocations', () => this.#history !== undefined && view.isReady && this.clock.isRight);
    this.metrics.register(
      {
        name: 'revocations',
        help: 'Live revocations that this replica holds in memory',
        kind: 'gauge',
        read: () => this.#table.size,
      },
      {
        name: 'revocation_feed_stale_seconds',
        help: 'Time since the feed of revocations was last known to live; above 0.25 the table is asked for every request',
        kind: 'gauge',
        read: () => view.staleMs / 1_000,
      },
    );
  }

  /** Writes entries and their notices in the transaction. @returns the entries with their expiry */
  async publish(em: SqlEntityManager, revocations: readonly Revocation[]): Promise<readonly Entry[]> {
    if (revocations.length === 0) return [];
    const values = revocations.map(({ kind, subject, tokenSubject, generation, cause, expiresAt }) => ({
      kind,
      subject: subjectIdOf(kind, subject),
      name: isNamed(kind) ? subject : (tokenSubject ?? null),
      generation: generation ?? null,
      cause,
      ends_at: expiresAt ?? null,
    }));
    const parameters = [this.retention.lifetimeSeconds, JSON.stringify(values)];
    const entries = await em.execute<Entry[]>(insertEntries, parameters);
    const notices = entries.map(({ kind, subjectId, generation, expiresAt }) =>
      JSON.stringify([kind, subjectId, generation, expiresAt] satisfies z.infer<typeof notice>),
    );
    await this.notifications.publish(em, topic, ...notices);
    return entries;
  }

  /** Adds entries that this replica has committed or read itself. */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) this.#table.add(entry.kind, entry.subjectId, entry, this.#now());
  }

  isRevoked(facts: readonly TokenFact[]): boolean | Promise<boolean> {
    // what is known is enough to refuse, however old the view is
    if (this.#isListed(facts)) return true;
    return this.#view?.isFresh === true ? false : this.#askTable(facts);
  }

  #isListed(facts: readonly TokenFact[]): boolean {
    const now = this.#now();
    // hot path: no closure for each request
    for (const { fingerprint, generation } of facts) {
      if (this.#table.endedBelow(fingerprint, now) > generation) return true;
    }
    return false;
  }

  /** @throws when the database does not answer: it fails closed */
  async #askTable(facts: readonly TokenFact[]): Promise<boolean> {
    this.apply(await this.sql.rows<Entry>(bySubjects, [facts.map(({ subjectId }) => subjectId)]));
    return this.#isListed(facts);
  }

  #hear(payload: string): void {
    const [kind, subjectId, generation, expiresAt] = notice.parse(JSON.parse(payload));
    this.#table.add(kind, subjectId, { generation, expiresAt }, this.#now());
  }

  /** Adds entries and removes none: a restored database brings no token back to life. */
  async #catchUp(): Promise<void> {
    // a database that was put in the place of another does not know what this replica issues
    await this.retention.recordLifetime();
    const now = await readHistory(this.sql);
    const from = readFrom(this.#history, now).toString();
    let after = '0';
    let page: Page | undefined;
    do {
      page = await this.sql.row<Page>(livePage, [after, from, pageRows]);
      this.#table.addPacked(page?.entries ?? new Uint8Array(), this.#now());
      after = page?.last ?? after;
    } while (page?.rows === pageRows);
    this.#history = now;
  }

  /** Unix seconds by the clock that entries are dated by. */
  #now(): number {
    return Math.floor(this.clock.nowMs() / 1000);
  }
}
