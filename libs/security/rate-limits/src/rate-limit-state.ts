import type { RateClassName } from '#libs/platform/access';

import { MemoryStorage } from './memory.storage.js';
import type { RedisStorage } from './redis.storage.js';
import type { CallerKind } from './rate-policies.js';

type Refusals = { readonly kind: CallerKind; readonly rateClass: RateClassName; readonly count: number };

/** How the limiter does, in plain numbers since the start of the process, for metrics and health. */
export class RateLimitState {
  readonly #refused = new Map<string, Refusals>();

  constructor(private readonly store: MemoryStorage | RedisStorage) {}

  /** Where requests are counted now: `local` is memory in place of a Redis that cannot be had. */
  get countedIn(): 'memory' | 'redis' | 'local' {
    if (this.store instanceof MemoryStorage) return 'memory';
    return this.store.link.connection ? 'redis' : 'local';
  }

  get isRedisConfigured(): boolean {
    return !(this.store instanceof MemoryStorage);
  }

  /** Whether Redis answers; for readiness, where it is configured. */
  get isRedisConnected(): boolean {
    return this.countedIn === 'redis';
  }

  /** Those that Redis has seen last; 1 without Redis. */
  get replicas(): number {
    return this.store instanceof MemoryStorage ? 1 : this.store.link.replicas;
  }

  /** Commands that failed or were not answered in time. */
  get redisErrors(): number {
    return this.store instanceof MemoryStorage ? 0 : this.store.link.errors;
  }

  /** At most one for each kind of caller and class. */
  get refusals(): readonly Refusals[] {
    return [...this.#refused.values()];
  }

  addRefusal(kind: CallerKind, rateClass: RateClassName): void {
    const name = `${kind}-${rateClass}`;
    this.#refused.set(name, { kind, rateClass, count: (this.#refused.get(name)?.count ?? 0) + 1 });
  }
}
