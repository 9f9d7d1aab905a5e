import { hash } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { z } from 'zod';

import { Sql, type Statement } from '#libs/platform/database';
import type { Revocation } from '#verifier/revocations';

import type { FeedCursor } from './feed-cursors.js';
import { momentInCluster, momentWithoutCluster, rowsFrom, rowsUnseenBy } from './feed.sql.js';

/** SQLSTATE of `insufficient_privilege`, `feature_not_supported`, `undefined_function`. */
const isForbidden = z.object({ code: z.enum(['42501', '0A000', '42883']) });

/** An entry as receivers get it, and its id, which they do not. */
export type FeedRow = Revocation & { readonly id: string };

/** A cursor, and the snapshot that it was taken from. */
export type FeedMoment = FeedCursor & { readonly snapshot: string };

/** Reads the table of revocations for those who read the feed. */
@Injectable()
export class FeedReader {
  #statement = momentInCluster;

  constructor(private readonly sql: Sql) {}

  /** Take it before rows are read: whatever commits later is told again from this cursor on. */
  async now(): Promise<FeedMoment> {
    const row = await this.#moment();
    if (!row) throw new Error('The database does not tell its transactions');
    const { snapshot, horizon, history } = row;
    return { epoch: hash('sha256', history, 'base64url').slice(0, 22), horizon: BigInt(horizon), snapshot };
  }

  /** Live entries of transactions from the horizon on, in the order of ids; 0 is all of them. */
  rowsFrom(horizon: bigint, afterId: string, limit: number): Promise<FeedRow[]> {
    return this.sql.rows(rowsFrom, [afterId, `${horizon}`, limit]);
  }

  /** Live entries that were not visible in the snapshot, in the order of ids. */
  rowsUnseenBy(snapshot: string, afterId: string, limit: number): Promise<FeedRow[]> {
    return this.sql.rows(rowsUnseenBy, [afterId, snapshot, limit]);
  }

  /** Some servers forbid to ask for the cluster; `renewEpoch` takes its place there (ADR 27). */
  async #moment(): Promise<Moment | undefined> {
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

type Moment = { readonly snapshot: string; readonly horizon: string; readonly history: string };
