import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Logger } from '@nestjs/common';

import { connectRedis, type RedisConnection } from './redis-connection.js';

const beatMs = 500;
const beatTimeoutMs = 1_000;
const retryMs = 500;
/** When a replica was silent for this long, it counts as gone. */
const aliveMs = 5_000;

/**
 * The connection to Redis: open while Redis answers, closed from the first failure until a
 * heartbeat is answered again. The heartbeat also counts the replicas.
 */
export class RedisLink {
  readonly #logger = new Logger('RedisLink');
  readonly #replicaId = randomUUID();
  readonly #stopping = new AbortController();
  #connection: RedisConnection | undefined;
  #failed = new AbortController();
  #loop: Promise<void> | undefined;
  #wasLogged = false;
  /** Replicas seen last, this one included. */
  replicas = 1;
  errors = 0;

  constructor(
    /** Called at each attempt, since the file that holds them may have changed. */
    private readonly urls: () => Promise<readonly string[]>,
    private readonly without: 'local' | 'refuse',
  ) {}

  /** Undefined while Redis cannot be had. */
  get connection(): RedisConnection | undefined {
    return this.#connection;
  }

  /** Resolves after the first attempt, whether it succeeds or not: the service can do without. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#loop ??= this.#run(resolve);
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#failed.abort();
    await this.#loop;
  }

  /** Reports a command that failed or came late, so that no other request waits for Redis. */
  fail(connection: RedisConnection, error: unknown): void {
    this.errors++;
    if (connection === this.#connection) this.#failed.abort(error);
    if (connection === this.#connection) this.#down(error);
  }

  async #run(onTried: () => void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let connection: RedisConnection | undefined;
      try {
        connection = await connectRedis(await this.urls());
        this.#failed = new AbortController();
        await this.#beat(connection, onTried);
      } catch (error) {
        if (!signal.aborted) this.#down(this.#failed.signal.aborted ? this.#failed.signal.reason : error);
      }
      this.#connection = undefined;
      if (connection) await this.#leave(connection);
      onTried();
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #beat(connection: RedisConnection, onTried: () => void): Promise<never> {
    const { signal } = this.#failed;
    for (;;) {
      this.replicas = await within(beatTimeoutMs, connection.beat(this.#replicaId, aliveMs));
      signal.throwIfAborted();
      this.#up(connection);
      onTried();
      await sleep(beatMs, undefined, { signal });
    }
  }

  /** Tells the other replicas, so that they divide by one less at once. */
  async #leave(connection: RedisConnection): Promise<void> {
    if (this.#stopping.signal.aborted) {
      await within(beatTimeoutMs, connection.leave(this.#replicaId)).catch(() => undefined);
    }
    connection.destroy();
  }

  #up(connection: RedisConnection): void {
    if (this.#connection) return;
    this.#connection = connection;
    this.#wasLogged = false;
    this.#logger.log({ event: 'Redis answers: limits are shared by all replicas', replicas: this.replicas });
  }

  #down(error: unknown): void {
    this.#connection = undefined;
    if (this.#wasLogged) return;
    this.#wasLogged = true;
    const event =
      this.without === 'local'
        ? 'Redis cannot be had: this replica counts for itself, by its share of each plan'
        : 'Redis cannot be had: requests are refused until it can';
    this.#logger.warn({ event, replicas: this.replicas, err: error });
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis did not answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
