import { type BeforeApplicationShutdown, Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { type RateClassName, rateClasses, type RatePlan } from '#libs/platform/access';
import { Sweeper } from '#libs/platform/database';
import { LIMIT_STORE, type LimitStore, RateLimitState, serviceKey, ServiceUsageLog } from '#libs/security/rate-limits';

import { type Counts, ServiceUsageRepository } from './service-usage.repository.js';
import type { ClassUsage, ServiceUsageView } from './services.schema.js';

const flushMs = 5_000;
const keptHours = 48;

/** Counts what services ask for, in memory, and every 5 s in the table that replicas share. */
@Injectable()
export class ServiceUsageService extends ServiceUsageLog implements OnModuleInit, BeforeApplicationShutdown {
  readonly #logger = new Logger('ServiceUsage');
  #pending = new Map<string, Map<RateClassName, Counts>>();
  #timer: NodeJS.Timeout | undefined;
  #flushing = Promise.resolve();

  constructor(
    private readonly rows: ServiceUsageRepository,
    private readonly sweeper: Sweeper,
    @Inject(LIMIT_STORE) private readonly store: LimitStore,
    private readonly state: RateLimitState,
  ) {
    super();
  }

  onModuleInit(): void {
    this.#timer = setInterval(() => void this.#flush(), flushMs).unref();
    this.sweeper.registerRetention({
      table: 'service_usage',
      condition: 'hour < now() - make_interval(hours => ?)',
      values: [keptHours],
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flush();
  }

  override add(service: string, rateClass: RateClassName, outcome: keyof Counts): void {
    this.#addCounts(service, rateClass, { used: 0, refused: 0, [outcome]: 1 });
  }

  /** How a service stands in the windows of its plan and what it did in the last day. */
  async read(service: string, plan: RatePlan): Promise<ServiceUsageView> {
    await this.#flush();
    const day = await this.rows.ofLastDay(service);
    const [read, write, login, hash, upload] = await Promise.all(
      rateClasses.map((name) => this.#readClass(service, name, plan, day.get(name))),
    );
    if (!read || !write || !login || !hash || !upload) throw new Error('a class has no usage');
    return { name: service, countedIn: this.state.countedIn, classes: { read, write, login, hash, upload } };
  }

  async #readClass(
    service: string,
    name: RateClassName,
    plan: RatePlan,
    day: Counts = { used: 0, refused: 0 },
  ): Promise<ClassUsage> {
    const { limit, windowSeconds } = plan[name];
    const { used, refused, resetMs } = await this.store.read(serviceKey(service, name, plan), plan[name]);
    const resetSeconds = Math.ceil(resetMs / 1_000);
    return { limit, windowSeconds, window: { used, refused, resetSeconds }, day };
  }

  #addCounts(service: string, rateClass: RateClassName, more: Counts): void {
    const ofService = this.#pending.get(service) ?? new Map<RateClassName, Counts>();
    this.#pending.set(service, ofService);
    const counts = ofService.get(rateClass);
    if (counts) {
      counts.used += more.used;
      counts.refused += more.refused;
    } else ofService.set(rateClass, { ...more });
  }

  /** Flushes run one after the other: what a failed one puts back, the next one takes. */
  #flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  async #write(): Promise<void> {
    const taken = this.#pending;
    if (taken.size === 0) return;
    this.#pending = new Map();
    const rows = [...taken].flatMap(([service, byClass]) =>
      [...byClass].map(([rateClass, counts]) => ({ service, rateClass, counts })),
    );
    try {
      await this.rows.add(rows);
    } catch (error) {
      for (const { service, rateClass, counts } of rows) this.#addCounts(service, rateClass, counts);
      this.#logger.debug({ err: error, event: 'usage could not be written; the next time tries again' });
    }
  }
}
