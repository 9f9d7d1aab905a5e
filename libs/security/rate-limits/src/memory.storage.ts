import { type Counted, type LimitedKey, type LimitStore, type Reading, toCounted } from './limit-store.js';
import { decide, look, type Rule, type WindowState } from './sliding-window.js';

/** Keys of one kind. About 250 bytes each. */
const keyLimit = 100_000;

/**
 * Counts in this process: one map entry a key, no timer, no work that grows with the hits. When there are too many keys,
 * the one not seen for longest is forgotten. To refuse new ones instead would let anybody with many addresses shut
 * everybody else out; who has 100,000 addresses is not held by limits per address anyway. Addresses have a table of their
 * own, so that strangers cannot push out the counts of services and users.
 */
export class MemoryStorage implements LimitStore {
  readonly #addresses = new Map<string, WindowState>();
  readonly #callers = new Map<string, WindowState>();
  /** Counts that were given up while they still mattered. */
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
    const decision = decide(table.get(key), { limit, windowMs: ttl }, now());
    // the key moves to the end, so that the first one is the one not seen for longest
    table.delete(key);
    table.set(key, decision.state);
    if (table.size > keyLimit) this.#dropOldest(table);
    return toCounted(decision, limit);
  }

  read(key: string, rule: Rule): Promise<Reading> {
    const { state, used, resetMs } = look(this.#tableOf(key).get(key), rule, now());
    return Promise.resolve({ used, refused: state.refused, resetMs });
  }

  /** Takes over what was counted elsewhere, so that counting here goes on from there. */
  adopt(key: string, ttl: number, { used, resetMs }: Pick<Reading, 'used' | 'resetMs'>): void {
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
