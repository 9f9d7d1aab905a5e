import { type BeforeApplicationShutdown, Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { type RateClassName, rateClasses, type RatePlan } from '#libs/platform/access';
import { Sql, Sweeper } from '#libs/platform/database';
import { LIMIT_STORE, type LimitStore, RateLimitState, serviceKey, ServiceUsageLog } from '#libs/security/rate-limits';

import type { ClassUsage, ServiceUsageView } from './services.schema.js';

type Counts = { used: number; refused: number };
type Row = { readonly rate_class: RateClassName; readonly used: number; readonly refused: number };

const flushMs = 5_000;
const keptHours = 48;

/** In the order of the unique key, so that replicas that write at once do not lock each other out. */
const add = `insert into service_usage (service_id, rate_class, hour, used, refused)
  select s.id, u.rate_class, date_trunc('hour', now(), 'UTC'), u.used, u.refused
  from unnest($1::text[], $2::text[], $3::int[], $4::int[]) as u (service, rate_class, used, refused)
  join services s on s.name = u.service
  order by s.id, u.rate_class
  on conflict (service_id, rate_class, hour) do update
    set used = service_usage.used + excluded.used, refused = service_usage.refused + excluded.refused`;
const ofLastDay = {
  name: 'service-usage-day',
  text: `select rate_class, sum(used)::float8 as used, sum(refused)::float8 as refused from service_usage
    where service_id = (select id from services where name = $1)
      and hour > date_trunc('hour', now(), 'UTC') - interval '24 hours'
    group by rate_class`,
};

/** Counts what services ask for: in memory, and every 5 s into the table that all replicas share. */
@Injectable()
export class ServiceUsage extends ServiceUsageLog implements OnModuleInit, BeforeApplicationShutdown {
  readonly #logger = new Logger('ServiceUsage');
  #pending = new Map<string, Map<RateClassName, Counts>>();
  #timer: NodeJS.Timeout | undefined;
  #flushing = Promise.resolve();

  constructor(
    private readonly sql: Sql,
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
    const day = await this.sql.rows<Row>(ofLastDay, [service]);
    const [read, write, login, hash, upload] = await Promise.all(
      rateClasses.map((name) => this.#readClass(service, plan, { name, day })),
    );
    if (!read || !write || !login || !hash || !upload) throw new Error('a class has no usage');
    return { name: service, countedIn: this.state.countedIn, classes: { read, write, login, hash, upload } };
  }

  async #readClass(
    service: string,
    plan: RatePlan,
    { name, day }: { name: RateClassName; day: readonly Row[] },
  ): Promise<ClassUsage> {
    const { limit, windowSeconds } = plan[name];
    const { used, refused, resetMs } = await this.store.read(serviceKey(service, name, plan), plan[name]);
    const past = day.find(({ rate_class }) => rate_class === name);
    return {
      limit,
      windowSeconds,
      window: { used, refused, resetSeconds: Math.ceil(resetMs / 1_000) },
      day: { used: past?.used ?? 0, refused: past?.refused ?? 0 },
    };
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

  /** One after the other: what a failed one puts back, the next one takes. */
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
      await this.sql.rows({ name: 'service-usage-add', text: add }, [
        rows.map(({ service }) => service),
        rows.map(({ rateClass }) => rateClass),
        rows.map(({ counts }) => counts.used),
        rows.map(({ counts }) => counts.refused),
      ]);
    } catch (error) {
      for (const { service, rateClass, counts } of rows) this.#addCounts(service, rateClass, counts);
      this.#logger.debug({ err: error, event: 'usage could not be written; the next time tries again' });
    }
  }
}
