import { hash } from 'node:crypto';

import { Injectable, Logger } from '@nestjs/common';
import { z } from 'zod';

import { SharedRead, Sql, type Statement } from '#libs/platform/database';
import type { Revocation } from '#verifier/revocations';

import type { FeedCursor } from './feed-cursors.js';
import { momentInCluster, momentWithoutCluster, renewEpochOf, rowsFrom, rowsUnseenBy } from './feed.sql.js';

/** SQLSTATE of `insufficient_privilege`, `feature_not_supported`, `undefined_function`. */
const isForbidden = z.object({ code: z.enum(['42501', '0A000', '42883']) });

/** An entry as receivers get it, and its id, which they do not. */
export type FeedRow = Revocation & { readonly id: string };

/** An entry as it is told. */
export const toEntry = ({ kind, subject, below, cause, expiresAt }: FeedRow): Revocation => ({
  kind,
  subject,
  below,
  cause,
  expiresAt,
});

/** A cursor, and the snapshot that it was taken from. */
export type FeedMoment = FeedCursor & { readonly snapshot: string };

/** Reads the table of revocations for those who read the feed. */
@Injectable()
export class FeedReader {
  readonly #logger = new Logger('RevocationFeed');
  /** One at a time, so that a horizon that went back can be told from an answer that came late. */
  readonly #reading = new SharedRead(() => this.#takeMoment());
  #statement = momentInCluster;
  #now: FeedMoment | undefined;

  constructor(private readonly sql: Sql) {}

  /** Take it before rows are read: whatever commits later is told again from this cursor on. */
  async now(): Promise<FeedMoment> {
    await this.#reading.run();
    if (!this.#now) throw new Error('The database does not tell its transactions');
    return this.#now;
  }

  /** Live entries of transactions from the horizon on, in the order of ids; 0 is all of them. */
  rowsFrom(horizon: bigint, afterId: string, limit: number): Promise<FeedRow[]> {
    return this.sql.rows(rowsFrom, [afterId, `${horizon}`, limit]);
  }

  /** Live entries that were not visible in the snapshot, in the order of ids. */
  rowsUnseenBy(snapshot: string, afterId: string, limit: number): Promise<FeedRow[]> {
    return this.sql.rows(rowsUnseenBy, [afterId, snapshot, limit]);
  }

  async #takeMoment(): Promise<void> {
    const moment = await this.#readMoment();
    const isOlder = this.#now?.epoch === moment.epoch && moment.horizon < this.#now.horizon;
    if (!isOlder) this.#now = moment;
    else await this.#renew(moment.renewal);
  }

  /** The database went back in what it says is the same history: cursors of before are no good. */
  async #renew(renewal: string | null): Promise<void> {
    await this.sql.rows(renewEpochOf, [renewal]);
    this.#now = await this.#readMoment();
    this.#logger.warn({
      event: 'the transactions of the database went back: the feed of revocations begins anew for all',
    });
  }

  async #readMoment(): Promise<FeedMoment & { readonly renewal: string | null }> {
    const row = await this.#askMoment();
    if (!row) throw new Error('The database does not tell its transactions');
    const { snapshot, horizon, renewal, history } = row;
    const epoch = hash('sha256', `${renewal}:${history}`, 'base64url').slice(0, 22);
    return { epoch, horizon: BigInt(horizon), snapshot, renewal };
  }

  /** Some servers forbid to ask for the cluster; the start of the server tells them apart too. */
  async #askMoment(): Promise<Moment | undefined> {
    const ask = (statement: Statement): Promise<Moment | undefined> => this.sql.row(statement, []);
    try {
      return await ask(this.#statement);
    } catch (error) {
      if (!isForbidden.safeParse(error).success) throw error;
      this.#statement = momentWithoutCluster;
      return ask(this.#statement);
    }
  }
}

type Moment = {
  readonly snapshot: string;
  readonly horizon: string;
  readonly renewal: string | null;
  readonly history: string;
};
