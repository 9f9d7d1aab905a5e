import type { RateLimit } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';

import { type Counted, type LimitedKey, type LimitStore, type Reading, toCounted } from './limit-store.js';
import type { MemoryStorage } from './memory.storage.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisLink } from './redis-link.js';

/** When Redis takes longer than this, it is treated as gone; it usually takes less than 1 ms. */
const commandTimeoutMs = 500;
const tickMs = 50;

/** Requests let through without Redis. It is told of them later, unless their window is over. */
type Unsynced = { count: number; readonly untilMs: number };
const unsyncedLimit = 100_000;

/** For each key its numbers, see `limitScript`. */
type Replies = readonly (readonly number[])[];

type Waiting = { readonly sentAt: number; readonly connection: RedisConnection; readonly giveUp: () => void };

/**
 * Counts in Redis, exactly over all replicas, with one script and one round trip for all requests
 * of a turn.
 *
 * While Redis cannot be had, it falls back to memory and this replica's share of the limit, or
 * refuses, as configured. No request waits longer than 600 ms. Counts survive both changes: the
 * fallback starts from this replica's share of what Redis has counted, and Redis is told of what
 * was let through without it.
 */
export class RedisStorage implements LimitStore {
  readonly #waiting = new Set<Waiting>();
  readonly #unsynced = new Map<string, Unsynced>();
  #timer: NodeJS.Timeout | undefined;
  #tickedAt = 0;

  constructor(
    readonly link: RedisLink,
    private readonly fallback: MemoryStorage,
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
      keys.map(({ key, limit }, at) => `${limit} ${ttl} ${at === 0 ? 1 : 2} ${this.#takeUnsynced(key)}`);
    return this.#ask(names, requests, {
      answered: (replies) => this.#toCounts(keys, ttl, replies),
      otherwise: () => this.#withoutRedis(keys, ttl),
    });
  }

  #toCounts(keys: readonly LimitedKey[], ttl: number, replies: Replies): readonly Counted[] {
    const counts: Counted[] = [];
    for (const [at, { key, limit }] of keys.entries()) {
      const [allowed = 0, used = 0, resetMs = 0, retryMs = 0] = replies[at] ?? [];
      this.fallback.seed(key, ttl, { used: Math.ceil(used / this.link.replicas), resetMs });
      counts.push(toCounted({ isAllowed: allowed === 1, used, resetMs, retryMs }, limit));
      if (allowed !== 1) break;
    }
    return counts;
  }

  read(key: string, rateLimit: RateLimit): Promise<Reading> {
    return this.#ask([key], () => [`${rateLimit.limit} ${rateLimit.windowSeconds * 1_000} 0 0`], {
      answered: ([[, used = 0, resetMs = 0, , refused = 0] = []]) => ({ used, resetMs, refused }),
      otherwise: () => this.fallback.read(key, rateLimit),
    });
  }

  /** Redis answers in the order of the calls, so that one timer watches over all (`#tick`). */
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
    // when this process itself was held up, the answers may have come without having been read yet
    if (lateMs > tickMs) return;
    const [oldest] = this.#waiting;
    if (!oldest || now - oldest.sentAt < commandTimeoutMs) return;
    this.link.fail(oldest.connection, new Error(`Redis did not answer within ${commandTimeoutMs} ms`));
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
    const counted = await this.fallback.increment(key, ttl, share);
    if (counted.isBlocked) return counted;
    const known = this.#unsynced.get(key);
    if (known && known.untilMs > performance.now()) known.count++;
    else if (this.#unsynced.size < unsyncedLimit) {
      this.#unsynced.set(key, { count: 1, untilMs: performance.now() + counted.timeToExpire * 1_000 });
    }
    return counted;
  }

  #takeUnsynced(key: string): string {
    if (this.#unsynced.size === 0) return '0';
    const unsynced = this.#unsynced.get(key);
    this.#unsynced.delete(key);
    return unsynced && unsynced.untilMs > performance.now() ? String(unsynced.count) : '0';
  }
}
