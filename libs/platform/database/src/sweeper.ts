import { setTimeout as sleep } from 'node:timers/promises';

import { SqlEntityManager } from '@mikro-orm/sql';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';

import { MetricSources } from '#libs/platform/monitoring';

const everyMs = 60_000;
const batchRows = 1_000;

/** Gives back how many rows it removed. One that takes long ends when the service stops. */
type Sweep = (stopping: AbortSignal) => Promise<number>;

/**
 * Which rows of a table have outlived their use; `condition` is SQL over them with `?` for the
 * values. `key` is the primary key, where that is not `id`.
 */
export type Expired = {
  readonly table: string;
  readonly key?: string;
  readonly condition: string;
  readonly values: readonly unknown[];
};

/**
 * Removes what has outlived its use, about every minute, on every replica and without a leader:
 * rows that another replica is removing are skipped, not waited for.
 */
@Injectable()
export class Sweeper implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('Sweeper');
  readonly #sweeps = new Map<string, Sweep>();
  readonly #stopping = new AbortController();
  readonly #swept = { rows: 0, failures: 0, endedAtMs: performance.now() };
  #running = Promise.resolve();

  constructor(
    private readonly em: SqlEntityManager,
    private readonly metrics: MetricSources,
  ) {}

  onModuleInit(): void {
    this.metrics.register(
      {
        name: 'swept_rows_total',
        help: 'Rows removed because they had outlived their use',
        kind: 'counter',
        read: () => this.#swept.rows,
      },
      { name: 'sweep_failures_total', help: 'Sweeps that failed', kind: 'counter', read: () => this.#swept.failures },
      {
        name: 'sweep_age_seconds',
        help: 'Time since the last round of sweeps ended; about a minute when all is well',
        kind: 'gauge',
        read: () => (performance.now() - this.#swept.endedAtMs) / 1_000,
      },
    );
  }

  /** @throws when there is a sweep of this name */
  register(name: string, sweep: Sweep): void {
    if (this.#sweeps.has(name)) throw new Error(`There is a sweep called ${name} already`);
    this.#sweeps.set(name, sweep);
  }

  /**
   * Rows go in batches of 1,000, so that no lock is held for long and no replica waits, with as
   * long a rest after each as it took: `me` of a replica that sweeps 100,000 rows is to notice
   * nothing (issue 7, bench/messages-sweep.ts).
   */
  registerRetention({ table, key = 'id', condition, values }: Expired): void {
    const text = `with gone as (
        delete from ${table} where ${key} in (
          select ${key} from ${table} where ${condition} limit ${batchRows} for update skip locked) returning 1
      ) select count(*)::int as count from gone`;
    this.register(table, async () => {
      for (let total = 0; ;) {
        const startedAt = performance.now();
        const [row] = await this.em.fork().execute<{ count: number }[]>(text, [...values]);
        const removed = row?.count ?? 0;
        total += removed;
        if (removed < batchRows || this.#stopping.signal.aborted) return total;
        await sleep(performance.now() - startedAt);
      }
    });
  }

  onApplicationBootstrap(): void {
    this.#running = this.#run(this.#stopping.signal);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Runs every sweep once; one that fails does not keep the others from running. */
  async sweepNow(): Promise<Readonly<Record<string, number>>> {
    const removed: Record<string, number> = {};
    for (const [name, sweep] of this.#sweeps) {
      try {
        removed[name] = await sweep(this.#stopping.signal);
        this.#swept.rows += removed[name];
        if (removed[name] > 0) this.#logger.debug({ swept: name, rows: removed[name] });
      } catch (error) {
        this.#swept.failures++;
        this.#logger.warn({ err: error, event: `sweep of ${name} failed; the next one tries again` });
      }
    }
    this.#swept.endedAtMs = performance.now();
    return removed;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // replicas that started together should not sweep together
      await sleep(everyMs * (0.8 + Math.random() * 0.4), undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.sweepNow();
    }
  }
}
