import type { MetricSource } from '#libs/platform/monitoring';

import type { RateLimitState } from './rate-limit-state.js';

const stores = ['memory', 'redis', 'local'] as const;

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
    help: '1 for where requests are counted now; local is memory in place of a Redis that cannot be had.',
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
