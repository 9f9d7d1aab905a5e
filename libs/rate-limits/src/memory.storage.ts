import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';

import { decide, type WindowState } from './fixed-window.js';

type Recorded = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** Keys are addresses that strangers choose: without a bound they would choose how much memory we use. */
const keyLimit = 100_000;

/** Counts in this process: one map entry a key, no timer, no work that grows with the hits. */
@Injectable()
export class MemoryStorage implements ThrottlerStorage {
  readonly #windows = new Map<string, WindowState>();

  increment(key: string, ttl: number, limit: number): Promise<Recorded> {
    const now = Date.now();
    const { state, isAllowed } = decide(this.#windows.get(key), { limit, windowMs: ttl }, now);
    // the key moves to the end, so that the first one is the one not seen for longest
    this.#windows.delete(key);
    this.#windows.set(key, state);
    if (this.#windows.size > keyLimit) this.#dropOldest();
    const secondsLeft = Math.ceil((state.endsAtMs - now) / 1000);
    return Promise.resolve({
      totalHits: state.hits,
      timeToExpire: secondsLeft,
      isBlocked: !isAllowed,
      timeToBlockExpire: isAllowed ? 0 : secondsLeft,
    });
  }

  #dropOldest(): void {
    const [oldest] = this.#windows.keys();
    if (oldest !== undefined) this.#windows.delete(oldest);
  }
}
