import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Client } from 'pg';

import { type Config, CONFIG } from '#libs/platform/config';

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
export class Changes implements OnApplicationShutdown {
  readonly #logger = new Logger('Changes');
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #stopping = new AbortController();
  #heardAt = -Infinity;
  #started: Promise<void> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Whether everything committed more than 250 ms ago has been heard. */
  get isFresh(): boolean {
    return this.staleMs < staleAfterMs;
  }

  /** Milliseconds since the listening connection was last known to live; 0 with the embedded database. */
  get staleMs(): number {
    return this.config.DATABASE_URL === undefined ? 0 : performance.now() - this.#heardAt;
  }

  /** Register every subscriber before `start`. */
  subscribe(topic: string, subscriber: Subscriber): void {
    this.#subscribers.set(topic, subscriber);
  }

  /** Sends with the commit of the transaction, or not at all. At most 8,000 bytes. */
  async publish(em: SqlEntityManager, topic: string, payload: string): Promise<void> {
    if (this.config.DATABASE_URL === undefined) return;
    await em.execute('select pg_notify(?, ?)', [channel, `${topic} ${payload}`]);
  }

  /** Connects and has every subscriber catch up. @throws when the database does not answer */
  start(): Promise<void> {
    const url = this.config.DATABASE_URL;
    this.#started ??=
      url === undefined ? this.#catchUp() : new Promise((resolve, reject) => void this.#run(url, resolve, reject));
    return this.#started;
  }

  onApplicationShutdown(): void {
    this.#stopping.abort();
  }

  async #run(url: string, onReady: () => void, onFailure: (error: unknown) => void): Promise<void> {
    const { signal } = this.#stopping;
    let wasReady = false;
    const ready = (): void => {
      wasReady = true;
      onReady();
    };
    while (!signal.aborted) {
      try {
        await this.#listen(url, ready, signal);
      } catch (error) {
        if (signal.aborted) return;
        // a service that cannot start says so and ends; one that runs goes on trying
        if (!wasReady) return onFailure(error);
        if (this.#heardAt > -Infinity)
          this.#logger.warn({ err: error, event: 'change feed lost: asking the database' });
      } finally {
        this.#heardAt = -Infinity;
      }
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One connection from its start to its loss. */
  async #listen(url: string, onReady: () => void, signal: AbortSignal): Promise<never> {
    const { default: pg } = await import('pg');
    const client = new pg.Client({
      connectionString: url,
      application_name: 'gatehouse listener',
      connectionTimeoutMillis: deadAfterMs,
      query_timeout: deadAfterMs,
    });
    const lost = once(client, 'end', { signal }).then((): never => {
      throw new Error('the listening connection ended');
    });
    lost.catch(() => undefined);
    client.on('notification', ({ payload }) => this.#dispatch(payload ?? ''));
    try {
      await client.connect();
      // listening comes before catching up, so that nothing falls between the two
      await client.query(`listen ${channel}`);
      this.#heardAt = performance.now();
      await this.#catchUp();
      onReady();
      return await Promise.race([lost, this.#beat(client, signal)]);
    } finally {
      client.removeAllListeners('notification');
      client.on('error', () => undefined);
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
