import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Sql, Statement } from './sql.js';

const beat: Statement = { text: 'select pg_notify($1, $2)', query_timeout: 2_000 };
const everyMs = 1_000;
/**
 * A pooler may hand over one by luck: when the session of a statement happens to be the one that
 * listens.
 */
const beatsAtFirst = 3;

/** The connection lives, and hears nothing. */
export class DeafConnectionError extends Error {
  constructor() {
    super(
      'The database connection for notifications does not deliver them: PgBouncer in transaction mode? Set DATABASE_LISTEN_URL to a direct connection',
    );
  }
}

/**
 * Proves that a connection hears: beats are sent over the pool, to a channel of this replica's own,
 * and must arrive. Only a beat that was committed and is not heard counts; a pool that is too busy
 * to send says nothing about hearing.
 */
export class ListeningProof {
  readonly channel = `gatehouse_${randomBytes(8).toString('hex')}`;
  #awaited: { readonly id: string; readonly hear: (isHeard: true) => void } | undefined;
  #committedAt: number | undefined;

  constructor(private readonly sql: Sql) {}

  /** Milliseconds since a beat was committed that has not been heard yet; 0 when there is none. */
  get unheardMs(): number {
    return this.#committedAt === undefined ? 0 : performance.now() - this.#committedAt;
  }

  hear(id: string): void {
    if (this.#awaited?.id !== id) return;
    this.#awaited.hear(true);
    this.#awaited = undefined;
    this.#committedAt = undefined;
  }

  /** For a new connection. @throws DeafConnectionError, or why no beat could be sent */
  async begin(withinMs: number, signal: AbortSignal): Promise<void> {
    for (let beats = 0; beats < beatsAtFirst; beats++) await this.#prove(withinMs, signal);
  }

  /** For a connection that is in use. @throws DeafConnectionError */
  async keepOn(withinMs: number, signal: AbortSignal): Promise<never> {
    for (;;) {
      await sleep(everyMs, undefined, { signal });
      await this.#prove(withinMs, signal).catch((error: unknown) => {
        if (error instanceof DeafConnectionError || signal.aborted) throw error;
      });
    }
  }

  async #prove(withinMs: number, signal: AbortSignal): Promise<void> {
    const id = randomUUID();
    const { promise: heard, resolve: hear } = Promise.withResolvers<true>();
    this.#awaited = { id, hear };
    const giveUp = new AbortController();
    try {
      await this.sql.rows(beat, [this.channel, id]);
      // it may have been heard before the pool said that it was committed
      if (this.#awaited?.id === id) this.#committedAt = performance.now();
      const late = sleep(withinMs, false, { signal: AbortSignal.any([signal, giveUp.signal]) });
      late.catch(() => undefined);
      if (!(await Promise.race([heard, late]))) throw new DeafConnectionError();
    } finally {
      giveUp.abort();
      this.#committedAt = undefined;
      this.#awaited = undefined;
    }
  }
}
