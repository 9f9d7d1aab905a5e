import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Sql } from '#libs/platform/database';
import { MetricSources } from '#libs/platform/monitoring';

import { horizonHolder } from './feed.sql.js';

type Holder = { readonly horizon: string; readonly isHeld: boolean; readonly seconds: number | null };

/** How long a transaction has held the cursor back; asked when metrics are read. */
@Injectable()
export class HorizonAge implements OnModuleInit {
  #seen: { readonly horizon: string; readonly atMs: number } | undefined;

  constructor(
    private readonly sql: Sql,
    private readonly metrics: MetricSources,
  ) {}

  onModuleInit(): void {
    this.metrics.register({
      name: 'revocation_feed_horizon_age_seconds',
      help: 'Age of the oldest transaction that writes: whoever reads the feed gets again what was revoked since it began',
      kind: 'gauge',
      read: () => this.#read(),
    });
  }

  /**
   * Sessions of other roles do not show when they began (but to `pg_read_all_stats`): of these we
   * know since when we have seen the horizon stand still.
   */
  async #read(): Promise<number> {
    const holder = await this.sql.row<Holder>(horizonHolder, []);
    if (!holder?.isHeld) {
      this.#seen = undefined;
      return 0;
    }
    const nowMs = performance.now();
    if (this.#seen?.horizon !== holder.horizon) this.#seen = { horizon: holder.horizon, atMs: nowMs };
    return Math.max(holder.seconds ?? 0, (nowMs - this.#seen.atMs) / 1_000);
  }
}
