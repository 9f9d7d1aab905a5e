import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import type { Client } from 'pg';

import { type Config, CONFIG } from '#libs/platform/config';

import { listenerPlan } from './connection-plan.js';

const channel = 'gatehouse';
const heartbeatMs = 100;
const staleAfterMs = 250;
const deadAfterMs = 3_000;
const retryMs = 200;

export type Subscriber = {
  /** Called for each change, on every replica, in the order of commits. */
  onChange(payload: string): void;
  /** Called after every (re)connection, when changes may have been missed; the view is stale until it resolves. */
  catchUp(): Promise<void>;
};

/**
 * Tells every replica of changes within milliseconds over PostgreSQL's LISTEN/NOTIFY, and knows when it cannot:
 * a heartbeat every 100 ms on the listening connection itself proves that it lives. With the embedded database there
 * is one process, which knows of its own changes without it.
 */
@Injectable()
export class Changes implements BeforeApplicationShutdown {
  readonly #logger = new Logger('Changes');
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #stopping = new AbortController();
  #heardAt = -Infinity;
  #started: Promise<void> | undefined;
  #loop: Promise<void> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Whether everything committed more than 250 ms ago has been heard. */
  get isFresh(): boolean {
    return this.staleMs < staleAfterMs;
  }

  /** Whether there can be no other replica: the embedded database has one process. */
  get isAlone(): boolean {
    return this.config.DATABASE_URL === undefined;
  }

  /** Milliseconds since the listening connection was last known to live; 0 with the embedded database. */
  get staleMs(): number {
    return this.isAlone ? 0 : performance.now() - this.#heardAt;
  }

  /** Register every subscriber before `start`. */
  subscribe(topic: string, subscriber: Subscriber): void {
    this.#subscribers.set(topic, subscriber);
  }

  /** Sends with the commit of the transaction, or not at all. At most 8,000 bytes. */
  async publish(em: SqlEntityManager, topic: string, payload: string): Promise<void> {
    if (this.isAlone) return;
    await em.execute('select pg_notify(?, ?)', [channel, `${topic} ${payload}`]);
  }

  /** Connects and has every subscriber catch up. @throws when the database does not answer */
  start(): Promise<void> {
    this.#started ??= this.isAlone
      ? this.#catchUp()
      : new Promise((resolve, reject) => {
          this.#loop = this.#run(resolve, reject);
        });
    return this.#started;
  }

  /** Before the database closes: a catch-up that is under way still needs it. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(onReady: () => void, onFailure: (error: unknown) => void): Promise<void> {
    const { signal } = this.#stopping;
    let wasReady = false;
    const ready = (): void => {
      wasReady = true;
      onReady();
    };
    while (!signal.aborted) {
      try {
        await this.#listen(ready, signal);
      } catch (error) {
        if (signal.aborted) return;
        // a service that cannot start says so and ends; one that runs goes on trying
        if (!wasReady) return onFailure(error);
        if (this.#heardAt > -Infinity) this.#logger.warn({ err: error, event: 'change feed lost' });
      } finally {
        this.#heardAt = -Infinity;
      }
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One connection from its start to its loss. */
  async #listen(onReady: () => void, signal: AbortSignal): Promise<never> {
    const { DatabaseClient } = await import('./database-client.js');
    const client = new DatabaseClient(listenerPlan(this.config), { query_timeout: deadAfterMs });
    // a lost connection may report more than one error, and one that nobody listens to would end the process
    client.on('error', () => undefined);
    const lost = once(client, 'end', { signal }).then((): never => {
      throw new Error('the listening connection ended');
    });
    lost.catch(() => undefined);
    client.on('notification', ({ payload }) => this.#dispatch(payload ?? ''));
    try {
      await client.connect();
      // listening comes before catching up, so that nothing falls between the two
      await client.query(`listen ${channel}`);
      const listeningAt = performance.now();
      await this.#catchUp();
      this.#heardAt = listeningAt;
      onReady();
      return await Promise.race([lost, this.#beat(client, signal)]);
    } finally {
      client.removeAllListeners('notification');
      void client.end().catch(() => undefined);
    }
  }

  async #beat(client: Client, signal: AbortSignal): Promise<never> {
    for (;;) {
      const sentAt = performance.now();
      // a connection that swallows what it is sent never answers: the query's own time-out ends it
      await client.query('select 1');
      this.#heardAt = sentAt;
      await sleep(heartbeatMs, undefined, { signal });
    }
  }

  async #catchUp(): Promise<void> {
    await Promise.all([...this.#subscribers.values()].map((subscriber) => subscriber.catchUp()));
  }

  #dispatch(message: string): void {
    const end = message.indexOf(' ');
    this.#subscribers.get(message.slice(0, end))?.onChange(message.slice(end + 1));
  }
}
