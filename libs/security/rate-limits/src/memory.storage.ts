import type { RateLimit } from '#libs/platform/access';

import { type Counted, type LimitedKey, type LimitStore, type Reading, toCounted } from './limit-store.js';
import { decide, look, type WindowState } from './sliding-window.js';

/** Keys in each table, of about 250 bytes each. */
const keyLimit = 100_000;

/**
 * Counts in this process: one map entry for each key, no timer, no work that grows with the
 * requests.
 *
 * When there are too many keys, the one not seen for longest is forgotten. If new ones were refused
 * instead, anybody with many addresses could shut everybody else out; and limits by address do not
 * hold somebody who has 100,000 of them anyway. Addresses have a table of their own, so that
 * strangers cannot push out the counts of services and users.
 */
export class MemoryStorage implements LimitStore {
  readonly #addresses = new Map<string, WindowState>();
  readonly #callers = new Map<string, WindowState>();
  /** Keys that were forgotten while they still counted. */
  evicted = 0;

  increment(key: string, ttl: number, limit: number): Promise<Counted> {
    return Promise.resolve(this.#count(key, ttl, limit));
  }

  incrementNested(keys: readonly LimitedKey[], ttl: number): Promise<readonly Counted[]> {
    const counts: Counted[] = [];
    for (const { key, limit } of keys) {
      const counted = this.#count(key, ttl, limit);
      counts.push(counted);
      if (counted.isBlocked) break;
    }
    return Promise.resolve(counts);
  }

  #count(key: string, ttl: number, limit: number): Counted {
    const table = this.#tableOf(key);
    const decision = decide(table.get(key), { limit, windowSeconds: ttl / 1_000 }, now());
    // the key moves to the end, so that the first one is the one not seen for longest
    table.delete(key);
    table.set(key, decision.state);
    if (table.size > keyLimit) this.#dropOldest(table);
    return toCounted(decision, limit);
  }

  read(key: string, rateLimit: RateLimit): Promise<Reading> {
    const { state, used, resetMs } = look(this.#tableOf(key).get(key), rateLimit, now());
    return Promise.resolve({ used, refused: state.refused, resetMs });
  }

  /** Sets what Redis has counted, so that counting here goes on from there. */
  seed(key: string, ttl: number, { used, resetMs }: Pick<Reading, 'used' | 'resetMs'>): void {
    const table = this.#tableOf(key);
    table.delete(key);
    table.set(key, { startMs: now() - (ttl - resetMs), previous: 0, current: used, refused: 0 });
    if (table.size > keyLimit) this.#dropOldest(table);
  }

  get keyCount(): number {
    return this.#addresses.size + this.#callers.size;
  }

  #tableOf(key: string): Map<string, WindowState> {
    return key.startsWith('ip-') ? this.#addresses : this.#callers;
  }

  #dropOldest(table: Map<string, WindowState>): void {
    const [oldest] = table.keys();
    if (oldest === undefined) return;
    table.delete(oldest);
    this.evicted++;
  }
}

/** A clock that nobody sets. */
const now = (): number => Math.floor(performance.now());
