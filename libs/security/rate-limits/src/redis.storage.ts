import { AppError } from '#libs/platform/errors';

import { type Counted, type LimitedKey, type LimitStore, type Reading, toCounted } from './limit-store.js';
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

/** Of each key its numbers, see `limitScript`. */
type Replies = readonly (readonly number[])[];

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

  async increment(key: string, ttl: number, limit: number): Promise<Counted> {
    const [counted] = await this.incrementNested([{ key, limit }], ttl);
    if (!counted) throw new Error('one key has one count');
    return counted;
  }

  incrementNested(keys: readonly LimitedKey[], ttl: number): Promise<readonly Counted[]> {
    const names = keys.map(({ key }) => key);
    const requests = () =>
      keys.map(({ key, limit }, at) => `${limit} ${ttl} ${at === 0 ? 1 : 2} ${this.#takeOwed(key)}`);
    return this.#ask(names, requests, {
      answered: (replies) => this.#toCounts(keys, ttl, replies),
      otherwise: () => this.#withoutRedis(keys, ttl),
    });
  }

  #toCounts(keys: readonly LimitedKey[], ttl: number, replies: Replies): readonly Counted[] {
    const counts: Counted[] = [];
    for (const [at, { key, limit }] of keys.entries()) {
      const [allowed = 0, used = 0, resetMs = 0, retryMs = 0] = replies[at] ?? [];
      this.local.adopt(key, ttl, { used: Math.ceil(used / this.link.replicas), resetMs });
      counts.push(toCounted({ isAllowed: allowed === 1, used, resetMs, retryMs }, limit));
      if (allowed !== 1) break;
    }
    return counts;
  }

  read(key: string, rule: Rule): Promise<Reading> {
    return this.#ask([key], () => [`${rule.limit} ${rule.windowMs} 0 0`], {
      answered: ([[, used = 0, resetMs = 0, , refused = 0] = []]) => ({ used, resetMs, refused }),
      otherwise: () => this.local.read(key, rule),
    });
  }

  /** One timer for all requests, and none for each: they are answered in the order in which they were sent. */
  #ask<T>(
    keys: readonly string[],
    requests: () => readonly string[],
    { answered, otherwise }: { answered: (replies: Replies) => T; otherwise: () => Promise<T> },
  ): Promise<T> {
    const { connection } = this.link;
    if (!connection) return otherwise();
    return new Promise((resolve) => {
      const waiting = { sentAt: performance.now(), connection, giveUp: () => resolve(otherwise()) };
      this.#waiting.add(waiting);
      connection.limit(keys, requests()).then(
        (replies) => {
          this.#waiting.delete(waiting);
          resolve(answered(replies));
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

  async #withoutRedis(keys: readonly LimitedKey[], ttl: number): Promise<readonly Counted[]> {
    if (this.without === 'refuse') {
      throw new AppError('unavailable', {
        detail: 'Limits cannot be counted at the moment, and this service is set to refuse then.',
        headers: { 'retry-after': '1' },
      });
    }
    const counts: Counted[] = [];
    for (const { key, limit } of keys) {
      const counted = await this.#countShare(key, ttl, Math.max(1, Math.floor(limit / this.link.replicas)));
      counts.push(counted);
      if (counted.isBlocked) break;
    }
    return counts;
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
