import type { RateClassName } from '#libs/platform/access';
import type { MetricSource } from '#libs/platform/monitoring';

import { MemoryStorage } from './memory.storage.js';
import type { RedisStorage } from './redis.storage.js';
import type { CallerKind } from './rate-policies.js';

type Refusals = { readonly kind: CallerKind; readonly rateClass: RateClassName; readonly count: number };

const stores = ['memory', 'redis', 'fallback'] as const;

/** Numbers of the limiter since the start of the process, for metrics and health. */
export class RateLimitState {
  readonly #refused = new Map<string, Refusals>();

  constructor(private readonly store: MemoryStorage | RedisStorage) {}

  /** Where requests are counted now: `fallback` is memory while Redis cannot be had. */
  get countedIn(): (typeof stores)[number] {
    if (this.store instanceof MemoryStorage) return 'memory';
    return this.store.link.connection ? 'redis' : 'fallback';
  }

  get isRedisConfigured(): boolean {
    return !(this.store instanceof MemoryStorage);
  }

  /** Whether Redis answers; for readiness, where it is configured. */
  get isRedisConnected(): boolean {
    return this.countedIn === 'redis';
  }

  /** Replicas that Redis has seen last; 1 without Redis. */
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

/** What the limiter has to say for `/metrics`. */
export const metricsOf = (state: RateLimitState): readonly MetricSource[] => [
  {
    name: 'rate_limit_refusals_total',
    help: 'Requests answered with 429, by the kind of caller and the class of the route.',
    kind: 'counter',
    labelNames: ['caller_kind', 'class'],
    read: () =>
      state.refusals.map(({ kind, rateClass, count }) => ({
        labels: { caller_kind: kind, class: rateClass },
        value: count,
      })),
  },
  {
    name: 'rate_limit_store',
    help: '1 for where requests are counted now; fallback is memory in place of a Redis that cannot be had.',
    kind: 'gauge',
    labelNames: ['store'],
    read: () => stores.map((store) => ({ labels: { store }, value: state.countedIn === store ? 1 : 0 })),
  },
  {
    name: 'rate_limit_replicas',
    help: 'Replicas that Redis has seen last; 1 without Redis.',
    kind: 'gauge',
    read: () => state.replicas,
  },
  {
    name: 'rate_limit_redis_errors_total',
    help: 'Redis commands that failed or were not answered in time.',
    kind: 'counter',
    read: () => state.redisErrors,
  },
];
