import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';

import { type ChangeView, ReplicaNotifications, DatabaseClock, Sql } from '#libs/platform/database';
import { MetricSources, ReadinessChecks } from '#libs/platform/monitoring';
import {
  isNamed,
  isRevoked,
  revocationKinds,
  RevocationTable,
  saltedFingerprint,
  subjectIdOf,
  type TokenFact,
} from '#verifier/revocations';

import type { Entry, Revocation } from '../revocation.js';
import { RevocationRetention } from '../revocation-retention.js';
import { bySubjects, insertEntries, livePage } from '../revocations.sql.js';
import { type History, readFrom, readHistory } from './history.js';

const topic = 'revocation';
const pageRows = 10_000;
/** Kind, last 64 bits of the id, generation, expiry as 64-bit Unix seconds. */
const packedBytes = 21;
const notice = z.tuple([z.enum(revocationKinds), z.uuid(), z.int(), z.int()]);

type Page = { rows: number; last: string | null; entries: Uint8Array | null };

/** This replica's view of the live entries, fed by `ReplicaNotifications`. */
@Injectable()
export class RevocationView implements OnModuleInit {
  readonly #table = new RevocationTable();
  /** Entries of older transactions have been read; younger ones were heard while the feed lived. */
  #history: History | undefined;
  #view: ChangeView | undefined;
  #onNews: () => void = () => undefined;

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

  /** Adds entries that this replica has committed itself. */
  apply(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.#add(entries);
    this.#onNews();
  }

  /** Has it told when there may be new entries in the table: committed here, heard or read. */
  onNews(listener: () => void): void {
    this.#onNews = listener;
  }

  isRevoked(facts: readonly TokenFact[]): boolean | Promise<boolean> {
    // what is known is enough to refuse, however old the view is
    if (this.#isListed(facts)) return true;
    return this.#view?.isFresh === true ? false : this.#askTable(facts);
  }

  #isListed(facts: readonly TokenFact[]): boolean {
    return isRevoked(this.#table, facts, this.#now());
  }

  /** @throws when the database does not answer: it fails closed */
  async #askTable(facts: readonly TokenFact[]): Promise<boolean> {
    this.#add(await this.sql.rows<Entry>(bySubjects, [facts.map(({ subjectId }) => subjectId)]));
    return this.#isListed(facts);
  }

  #add(entries: readonly Entry[]): void {
    for (const entry of entries) this.#table.add(entry.kind, entry.subjectId, entry, this.#now());
  }

  #hear(payload: string): void {
    const [kind, subjectId, generation, expiresAt] = notice.parse(JSON.parse(payload));
    this.#table.add(kind, subjectId, { generation, expiresAt }, this.#now());
    this.#onNews();
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
      this.#addPacked(page?.entries ?? new Uint8Array());
      after = page?.last ?? after;
    } while (page?.rows === pageRows);
    this.#history = now;
    this.#onNews();
  }

  #addPacked(entries: Uint8Array): void {
    const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
    const now = this.#now();
    for (let at = 0; at < entries.byteLength; at += packedBytes) {
      const kind = revocationKinds[view.getUint8(at)] ?? 'token';
      const fingerprint = saltedFingerprint(kind, view.getUint32(at + 1), view.getUint32(at + 5));
      // the upper half of the seconds is zero until the year 2106
      this.#table.put(fingerprint, { generation: view.getInt32(at + 9), expiresAt: view.getUint32(at + 17) }, now);
    }
  }

  /** Unix seconds by the clock that entries are dated by. */
  #now(): number {
    return Math.floor(this.clock.nowMs() / 1000);
  }
}
