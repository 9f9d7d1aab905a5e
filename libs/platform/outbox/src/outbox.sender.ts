import { type BeforeApplicationShutdown, Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { ReplicaNotifications, Sql } from '#libs/platform/database';
import { MetricSources } from '#libs/platform/monitoring';

import { backOffSeconds } from './back-off.js';
import { OutboxService, topic } from './outbox.service.js';
import { countEntries, deleteEntry, giveUp, leaseDue, postpone } from './outbox.sql.js';

/** Sent at once by a replica. */
const concurrency = 8;
/** A delivery has to end well within it, or another replica begins with the entry again. */
const leaseSeconds = 120;
/** A notice wakes a replica; this finds what is due later, and what a lost notice hid. */
const pollMs = 5_000;
/** A stop waits so long for what is being sent; then another replica may send it at once. */
const finishWithinMs = 2_000;
/** The embedded database has no notices. */
const embeddedPollMs = 250;

/** Nobody will ever take it: it is not tried again. `message` is for the operator. */
export class UndeliverableError extends Error {
  override readonly name = 'UndeliverableError';
}

/** Hands one entry over. It may be called twice for one id, when a replica dies at it. */
export type Deliver = (payload: unknown, id: string, signal: AbortSignal) => Promise<void>;

type Leased = {
  readonly id: string;
  readonly kind: string;
  readonly payload: Uint8Array;
  readonly attempts: number;
  readonly createdAtMs: number;
};
type Counts = { readonly waiting: number; readonly failed: number; readonly ageSeconds: number };

/** Hands over what is in the outbox, on every replica and without a leader. */
@Injectable()
export class OutboxSender implements OnModuleInit, BeforeApplicationShutdown {
  readonly #logger = new Logger('Outbox');
  readonly #deliver = new Map<string, Deliver>();
  readonly #stopping = new AbortController();
  /** Fires when those that run have had their time after the stop began. */
  readonly #cutOff = new AbortController();
  readonly #results = { delivered: 0, postponed: 0, failed: 0 };
  readonly #running = new Set<Promise<void>>();
  /** While it is asked: the gauges of a scrape share a statement. */
  #counting: Promise<Counts | undefined> | undefined;
  #wake: () => void = () => undefined;
  #loop = Promise.resolve();

  constructor(
    private readonly outbox: OutboxService,
    private readonly sql: Sql,
    private readonly notifications: ReplicaNotifications,
    private readonly metrics: MetricSources,
  ) {}

  onModuleInit(): void {
    const wake = (): void => this.#wake();
    // a notice says in how many ms the entry is due
    const wakeIn = (delayMs: string): void => void setTimeout(wake, Number(delayMs)).unref();
    this.notifications.subscribe(topic, { onChange: wakeIn, catchUp: async () => wake() });
    const gauge = (name: string, help: string, of: keyof Counts): void =>
      this.metrics.register({ name, help, kind: 'gauge', read: () => this.#count(of) });
    gauge('outbox_waiting', 'Entries of the outbox that have not been handed over', 'waiting');
    gauge('outbox_failed', 'Entries of the outbox that were given up; `mail list` shows them', 'failed');
    gauge('outbox_age_seconds', 'Since when the oldest waiting entry of the outbox waits', 'ageSeconds');
    this.metrics.register({
      name: 'outbox_deliveries_total',
      help: 'Tries to hand an entry of the outbox over, by what came of them',
      kind: 'counter',
      labelNames: ['result'],
      read: () => Object.entries(this.#results).map(([result, value]) => ({ labels: { result }, value })),
    });
  }

  /** Call in `onModuleInit`. @throws when there is somebody for this kind */
  register(kind: string, deliver: Deliver): void {
    if (this.#deliver.has(kind)) throw new Error(`The outbox knows already how to deliver ${kind}`);
    this.#deliver.set(kind, deliver);
  }

  /** The service calls it when it is ready; an operator's command sends nothing. */
  start(): void {
    if (this.#deliver.size > 0) this.#loop = this.#run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#loop;
    const timer = setTimeout(() => this.#cutOff.abort(), finishWithinMs);
    await Promise.all(this.#running);
    clearTimeout(timer);
  }

  async #count(name: keyof Counts): Promise<number> {
    this.#counting ??= this.sql.row<Counts>(countEntries, []).finally(() => {
      this.#counting = undefined;
    });
    return (await this.#counting)?.[name] ?? 0;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const leased = await this.#lease();
      for (const entry of leased) this.#begin(entry);
      if (leased.length === 0 || this.#running.size >= concurrency) await this.#rest(woken);
    }
  }

  /** Until there may be something to do. */
  async #rest(woken: Promise<void>): Promise<void> {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.notifications.isEmbedded ? embeddedPollMs : pollMs);
    await Promise.race([over, woken]).finally(() => clearTimeout(timer));
  }

  async #lease(): Promise<readonly Leased[]> {
    const places = concurrency - this.#running.size;
    if (places <= 0) return [];
    try {
      return await this.sql.rows<Leased>(leaseDue, [places, leaseSeconds]);
    } catch (error) {
      this.#logger.debug({ err: error, event: 'the outbox cannot be read now' });
      return [];
    }
  }

  #begin(entry: Leased): void {
    const running = this.#handOver(entry)
      .catch((error: unknown) =>
        this.#logger.warn({ err: error, event: 'an entry of the outbox is tried again later' }),
      )
      .finally(() => {
        this.#running.delete(running);
        this.#wake();
      });
    this.#running.add(running);
  }

  async #handOver({ id, kind, payload, attempts, createdAtMs }: Leased): Promise<void> {
    const deliver = this.#deliver.get(kind);
    // another release's: its replicas hand it over when the lease ends
    if (!deliver) return;
    try {
      await deliver(this.outbox.open(id, payload), id, this.#cutOff.signal);
    } catch (error) {
      await this.#failed(error, { id, kind, attempts, waitingMs: Date.now() - createdAtMs });
      return;
    }
    await this.sql.rows(deleteEntry, [id]);
    this.#results.delivered++;
  }

  async #failed(error: unknown, entry: Omit<Leased, 'payload' | 'createdAtMs'> & { waitingMs: number }): Promise<void> {
    const { id, kind, attempts, waitingMs } = entry;
    if (this.#cutOff.signal.aborted) return void (await this.sql.rows(postpone, [id, 0, null]));
    const reason = error instanceof Error ? error.message.slice(0, 500) : 'unknown';
    const isHopeless = error instanceof UndeliverableError;
    const seconds = isHopeless ? undefined : backOffSeconds(attempts, waitingMs, Math.random());
    if (seconds === undefined) {
      this.#results.failed++;
      this.#logger.warn({ id, kind, attempts, reason, event: 'given up: an entry of the outbox' });
      await this.sql.rows(giveUp, [id, reason]);
      return;
    }
    this.#results.postponed++;
    this.#logger.warn({ id, kind, attempts, reason, seconds, event: 'postponed: an entry of the outbox' });
    await this.sql.rows(postpone, [id, seconds, reason]);
  }
}
