import { AppError } from '#libs/platform/errors';

import { type Counted, type LimitStore, type Reading, toCounted } from './limit-store.js';
import type { MemoryStorage } from './memory.storage.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisLink } from './redis-link.js';
import type { Rule } from './sliding-window.js';

/** A Redis that takes longer than this is treated as gone; it usually takes less than one. */
const patienceMs = 500;
const tickMs = 50;

/** What was let through without Redis and is to be told to it, unless its window is over by then. */
type Owed = { count: number; readonly untilMs: number };
const owedLimit = 100_000;

type Waiting = { readonly sentAt: number; readonly connection: RedisConnection; readonly giveUp: () => void };

/**
 * Counts in Redis, one script and one round trip for the requests of a turn, exact over all replicas. While Redis cannot be had it counts
 * in memory by this replica's share of the limit, or refuses, as configured; no request waits longer than 600 ms. Counts go
 * on both ways: the share begins with the share of what was used, and Redis is told of what was let through without it.
 */
export class RedisStorage implements LimitStore {
  readonly #waiting = new Set<Waiting>();
  readonly #owed = new Map<string, Owed>();
  #timer: NodeJS.Timeout | undefined;
  #tickedAt = 0;

  constructor(
    readonly link: RedisLink,
    private readonly local: MemoryStorage,
    private readonly without: 'local' | 'refuse',
  ) {}

  async start(): Promise<void> {
    await this.link.start();
    this.#tickedAt = performance.now();
    this.#timer = setInterval(() => this.#tick(), tickMs).unref();
  }

  async stop(): Promise<void> {
    await this.link.stop();
    clearInterval(this.#timer);
  }

  increment(key: string, ttl: number, limit: number): Promise<Counted> {
    return this.#ask(key, () => `${limit} ${ttl} 1 ${this.#takeOwed(key)}`, {
      answered: ([allowed = 0, used = 0, resetMs = 0, retryMs = 0]) => {
        this.local.adopt(key, ttl, { used: Math.ceil(used / this.link.replicas), resetMs });
        return toCounted({ isAllowed: allowed === 1, used, resetMs, retryMs }, limit);
      },
      otherwise: () => this.#withoutRedis(key, ttl, limit),
    });
  }

  read(key: string, rule: Rule): Promise<Reading> {
    return this.#ask(key, () => `${rule.limit} ${rule.windowMs} 0 0`, {
      answered: ([, used = 0, resetMs = 0, , refused = 0]) => ({ used, resetMs, refused }),
      otherwise: () => this.local.read(key, rule),
    });
  }

  /** One timer for all requests, and none for each: they are answered in the order in which they were sent. */
  #ask<T>(
    key: string,
    request: () => string,
    { answered, otherwise }: { answered: (reply: readonly number[]) => T; otherwise: () => Promise<T> },
  ): Promise<T> {
    const { connection } = this.link;
    if (!connection) return otherwise();
    return new Promise((resolve) => {
      const waiting = { sentAt: performance.now(), connection, giveUp: () => resolve(otherwise()) };
      this.#waiting.add(waiting);
      connection.limit(key, request()).then(
        (reply) => {
          this.#waiting.delete(waiting);
          resolve(answered(reply));
        },
        (error: unknown) => {
          if (!this.#waiting.delete(waiting)) return;
          this.link.fail(connection, error);
          waiting.giveUp();
        },
      );
    });
  }

  #tick(): void {
    const now = performance.now();
    const lateMs = now - this.#tickedAt - tickMs;
    this.#tickedAt = now;
    // when this process itself was held up, the answers may be here and only not read yet
    if (lateMs > tickMs) return;
    const [oldest] = this.#waiting;
    if (!oldest || now - oldest.sentAt < patienceMs) return;
    this.link.fail(oldest.connection, new Error(`Redis did not answer within ${patienceMs} ms`));
    for (const { giveUp } of this.#waiting) giveUp();
    this.#waiting.clear();
  }

  #withoutRedis(key: string, ttl: number, limit: number): Promise<Counted> {
    if (this.without === 'local')
      return this.#countShare(key, ttl, Math.max(1, Math.floor(limit / this.link.replicas)));
    return Promise.reject(
      new AppError('unavailable', {
        detail: 'Limits cannot be counted at the moment, and this service is set to refuse then.',
        headers: { 'retry-after': '1' },
      }),
    );
  }

  async #countShare(key: string, ttl: number, share: number): Promise<Counted> {
    const counted = await this.local.increment(key, ttl, share);
    if (counted.isBlocked) return counted;
    const known = this.#owed.get(key);
    if (known && known.untilMs > performance.now()) known.count++;
    else if (this.#owed.size < owedLimit) {
      this.#owed.set(key, { count: 1, untilMs: performance.now() + counted.timeToExpire * 1_000 });
    }
    return counted;
  }

  #takeOwed(key: string): string {
    if (this.#owed.size === 0) return '0';
    const owed = this.#owed.get(key);
    this.#owed.delete(key);
    return owed && owed.untilMs > performance.now() ? String(owed.count) : '0';
  }
}
