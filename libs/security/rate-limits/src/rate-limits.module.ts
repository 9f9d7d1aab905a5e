import { Global, Inject, Logger, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { getStorageToken, ThrottlerModule } from '@nestjs/throttler';

import { RefusalLimiter } from '#libs/platform/access';
import { type Config, CONFIG, readSecretFile, redisUrls } from '#libs/platform/config';
import { MetricSources, ReadinessChecks } from '#libs/platform/monitoring';

import { LIMIT_STORE } from './limit-store.js';
import { MemoryStorage } from './memory.storage.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { metricsOf, RateLimitState } from './rate-limit-state.js';
import { RedisLink } from './redis-link.js';
import { RedisStorage } from './redis.storage.js';

/** Global, so that the access guard can inject the `RefusalLimiter` and not know its class. */
@Global()
@Module({
  imports: [
    ThrottlerModule.forRootAsync({
      inject: [CONFIG],
      useFactory: (config: Config) => ({ throttlers: [], storage: makeStore(config) }),
    }),
  ],
  providers: [
    { provide: LIMIT_STORE, useExisting: getStorageToken() },
    { provide: RateLimitState, inject: [LIMIT_STORE], useFactory: (store: Store) => new RateLimitState(store) },
    RateLimitGuard,
    { provide: RefusalLimiter, useExisting: RateLimitGuard },
  ],
  exports: [LIMIT_STORE, RateLimitState, RateLimitGuard, RefusalLimiter],
})
export class RateLimitsModule implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('RateLimits');

  constructor(
    @Inject(LIMIT_STORE) private readonly store: Store,
    @Inject(CONFIG) private readonly config: Config,
    private readonly state: RateLimitState,
    private readonly metrics: MetricSources,
    private readonly checks: ReadinessChecks,
  ) {}

  onModuleInit(): void {
    this.metrics.register(...metricsOf(this.state));
    // a balancer must take the replica out only when requests cannot go on without Redis
    const isNeeded = this.state.isRedisConfigured && this.config.RATE_LIMIT_WITHOUT_REDIS === 'refuse';
    if (isNeeded) this.checks.register('redis', () => this.state.isRedisConnected);
  }

  /** Connects to Redis. Commands of the operator do not call it: they would count as replicas. */
  async start(): Promise<void> {
    if (this.config.RATE_LIMITS === 'off') this.#logger.warn({ event: 'RATE_LIMITS is off: nothing is limited here' });
    if (this.store instanceof RedisStorage) await this.store.start();
  }

  /** After the HTTP server has closed: requests in flight are still counted. */
  async onApplicationShutdown(): Promise<void> {
    if (this.store instanceof RedisStorage) await this.store.stop();
  }
}

type Store = MemoryStorage | RedisStorage;

function makeStore(config: Config): Store {
  const { REDIS_URL, RATE_LIMIT_WITHOUT_REDIS: without } = config;
  if (REDIS_URL === undefined) return new MemoryStorage();
  const urls = async (): Promise<readonly string[]> => {
    const text = await readSecretFile(config, 'REDIS_URL');
    return text === undefined ? REDIS_URL : redisUrls.parse(text);
  };
  return new RedisStorage(new RedisLink(urls, without), new MemoryStorage(), without);
}
