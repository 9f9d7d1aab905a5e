import { setTimeout as sleep } from 'node:timers/promises';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';

import { Changes, Sql, type Statement, Sweeper } from '#libs/platform/database';
import { MetricSources, ReadinessChecks } from '#libs/platform/monitoring';

import { everyGeneration, type Revocation, type RevocationKind, type TokenFacts } from './revocation.js';
import { RevocationTable } from './revocation-table.js';

const topic = 'revocation';
const pageRows = 10_000;
const propagationMs = 20;
/**
 * Ready bears more than `isFresh` does: a feed that is late by less is bridged by asking the table, and a loop that is
 * busy for a moment must not take every replica out of the balancer at once.
 */
const readyWithinMs = 2_000;

const notice = z.tuple([z.enum(['token', 'session', 'user', 'key']), z.uuid(), z.int(), z.int()]);

type Row = { kind: RevocationKind; subject: string; generation: number | null; expires_s: number };
/** One row a page: its entries as bytes cost a third of the memory and of the time that rows would (10.8 → 4.1 s a million). */
type Page = { rows: number; last: string | null; entries: Uint8Array | null };
const livePage: Statement = {
  text: `select count(*)::int as rows, max(id)::text as last, string_agg(
      decode(case kind when 'token' then '00' when 'session' then '01' when 'user' then '02' else '03' end, 'hex')
        || substring(uuid_send(subject) from 9) || int4send(coalesce(generation, ${everyGeneration}))
        || int8send(extract(epoch from expires_at)::int8), ''::bytea) as entries
    from (
      select id, kind, subject, generation, expires_at from revocations
      where id > $1 and xid >= $2::xid8 and expires_at > now() order by id limit $3
    ) page`,
};
const horizonNow: Statement = { text: 'select pg_snapshot_xmin(pg_current_snapshot())::text as horizon' };
const bySubjects: Statement = {
  name: 'revocations-by-subjects',
  text: `select kind, subject, generation, extract(epoch from expires_at)::float8 as expires_s
    from revocations where subject = any($1::uuid[]) and expires_at > now()`,
};

/** This replica's view of the live entries: loaded before ready, fed by `Changes`, and aware of when it is stale. */
@Injectable()
export class RevocationFeed implements OnModuleInit {
  readonly #table = new RevocationTable();
  /** Every entry of an older transaction has been read; those of this and younger ones were heard, if the feed held. */
  #horizon = '0';
  #isLoaded = false;

  constructor(
    private readonly sql: Sql,
    private readonly changes: Changes,
    private readonly sweeper: Sweeper,
    private readonly checks: ReadinessChecks,
    private readonly metrics: MetricSources,
  ) {}

  onModuleInit(): void {
    this.checks.register('revocations', () => this.#isLoaded && this.changes.staleMs < readyWithinMs);
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
        read: () => this.changes.staleMs / 1_000,
      },
    );
    this.changes.subscribe(topic, {
      onChange: (payload) => this.#hear(payload),
      catchUp: () => this.#catchUp(),
    });
    this.sweeper.registerOutlived({ table: 'revocations', condition: 'expires_at < now()', values: [] });
  }

  /** Writes an entry and its notice into the running transaction. */
  async publish(em: SqlEntityManager, { kind, subject, generation, cause, expiresAt }: Entry): Promise<void> {
    await em.execute(
      'insert into revocations (kind, subject, generation, cause, expires_at) values (?, ?, ?, ?, to_timestamp(?))',
      [kind, subject, generation ?? null, cause, expiresAt],
    );
    await this.changes.publish(
      em,
      topic,
      JSON.stringify([kind, subject, generation ?? everyGeneration, expiresAt] satisfies z.infer<typeof notice>),
    );
  }

  /** What this replica has committed itself it need not hear of. */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) this.#table.add(entry.kind, entry.subject, entry, nowSeconds());
  }

  /**
   * Waits as long as a notice, or the news of a cut connection, takes to reach the other replicas (7 ms at most in 213 cuts
   * under load), so that whoever is told "revoked" finds it so everywhere.
   */
  async othersHaveHeard(): Promise<void> {
    if (!this.changes.isAlone) await sleep(propagationMs);
  }

  isRevoked(token: TokenFacts): boolean | Promise<boolean> {
    // what is known is enough to refuse, however old the view is
    if (this.#isListed(token)) return true;
    return this.changes.isFresh ? false : this.#askTable(token);
  }

  #isListed({ tokenId, sessionId, userId, keyId, generation }: TokenFacts): boolean {
    const now = nowSeconds();
    return (
      this.#table.endedBelow('token', tokenId, now) > 0 ||
      this.#table.endedBelow('session', sessionId, now) > 0 ||
      this.#table.endedBelow('user', userId, now) > generation ||
      this.#table.endedBelow('key', keyId, now) > 0
    );
  }

  /** @throws when the database does not answer: a token that cannot be checked is not let through */
  async #askTable(token: TokenFacts): Promise<boolean> {
    const subjects = [token.tokenId, token.sessionId, token.userId, token.keyId];
    this.#add(await this.sql.rows<Row>(bySubjects, [subjects]));
    return this.#isListed(token);
  }

  #hear(payload: string): void {
    const [kind, subject, generation, expiresAt] = notice.parse(JSON.parse(payload));
    this.#table.add(kind, subject, { generation, expiresAt }, nowSeconds());
  }

  async #catchUp(): Promise<void> {
    // taken before reading: what commits meanwhile belongs to a transaction at or after it, and is read again
    const horizon = (await this.sql.row<{ horizon: string }>(horizonNow, []))?.horizon ?? '0';
    let after = '0';
    let page: Page | undefined;
    do {
      page = await this.sql.row<Page>(livePage, [after, this.#horizon, pageRows]);
      this.#table.addPacked(page?.entries ?? new Uint8Array(), nowSeconds());
      after = page?.last ?? after;
    } while (page?.rows === pageRows);
    this.#horizon = horizon;
    this.#isLoaded = true;
  }

  #add(rows: readonly Row[]): void {
    const now = nowSeconds();
    for (const { kind, subject, generation, expires_s } of rows) {
      this.#table.add(kind, subject, { generation: generation ?? everyGeneration, expiresAt: expires_s }, now);
    }
  }
}

/** A `Revocation` whose end is settled. */
type Entry = Revocation & { readonly expiresAt: number };

const nowSeconds = (): number => Math.floor(Date.now() / 1000);
