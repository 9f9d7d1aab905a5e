import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';

import { type RateClassName, RefusalLimiter, replyOf, requestOf } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';

import { type Counted, LIMIT_STORE, type LimitStore } from './limit-store.js';
import { rateClass } from './rate-class.decorator.js';
import { RateLimitState } from './rate-limit-state.js';
import { RatePolicies, type RatePolicy, type Subject } from './rate-policies.js';
import { ServiceUsageLog } from './service-usage-log.js';

/** What `@SkipThrottle()` of the throttler leaves on a handler. */
const skipped = 'THROTTLER:SKIPdefault';

/** Counts every request but those to routes that are `@Unlimited()`, and refuses those beyond the limit. */
@Injectable()
export class RateLimitGuard extends RefusalLimiter implements CanActivate {
  readonly #policies: RatePolicies;
  readonly #isOff: boolean;
  readonly #classes = new WeakMap<object, RateClassName | 'unlimited'>();

  constructor(
    private readonly reflector: Reflector,
    @Inject(LIMIT_STORE) private readonly store: LimitStore,
    private readonly state: RateLimitState,
    private readonly usage: ServiceUsageLog,
    @Inject(CONFIG) config: Config,
  ) {
    super();
    this.#policies = new RatePolicies(config);
    this.#isOff = config.RATE_LIMITS === 'off';
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (this.#isOff) return true;
    const name = this.#classOf(context);
    return name === 'unlimited' || this.#count(name, context);
  }

  override async countRefusal(context: ExecutionContext): Promise<void> {
    await this.canActivate(context);
  }

  async #count(name: RateClassName, context: ExecutionContext): Promise<true> {
    const request = requestOf(context);
    const { limits, service } = this.#policies.subjectOf(request.principal, request.clientAddress, name);
    const { policy, counted } = await this.#tightest(limits);
    if (service !== undefined) this.usage.add(service, name, counted.isBlocked ? 'refused' : 'used');
    void replyOf(context).headers(fieldsOf(policy, counted));
    if (!counted.isBlocked) return true;
    this.state.addRefusal(policy.kind, name);
    throw tooMany(policy, counted.timeToBlockExpire);
  }

  /** Counts by all limits; of them the caller is told the one that refuses, or that is the first to be used up. */
  async #tightest(limits: Subject['limits']): Promise<{ readonly policy: RatePolicy; readonly counted: Counted }> {
    const [{ policy, key }, ...wider] = limits;
    if (wider.length === 0) {
      return { policy, counted: await this.store.increment(key, policy.windowMs, policy.limit) };
    }
    const keys = limits.map(({ key, policy: { limit } }) => ({ key, limit }));
    const counts = await this.store.incrementNested(keys, policy.windowMs);
    const standings = counts.flatMap((counted, at) => (limits[at] ? [{ policy: limits[at].policy, counted }] : []));
    return standings.reduce((tight, next) => (isTighter(next.counted, tight.counted) ? next : tight));
  }

  #classOf(context: ExecutionContext): RateClassName | 'unlimited' {
    const handler = context.getHandler();
    const known = this.#classes.get(handler);
    if (known) return known;
    const { method } = requestOf(context);
    const preset = method === 'GET' || method === 'HEAD' ? 'read' : 'write';
    const isSkipped = this.reflector.getAllAndOverride<boolean | undefined>(skipped, [handler, context.getClass()]);
    const own = this.reflector.get<RateClassName | undefined>(rateClass, handler) ?? preset;
    const found = isSkipped === true ? 'unlimited' : own;
    this.#classes.set(handler, found);
    return found;
  }
}

const isTighter = (one: Counted, other: Counted): boolean => one.isBlocked || one.remaining < other.remaining;

/** draft-ietf-httpapi-ratelimit-headers: what is left, and when there will be more. */
function fieldsOf({ name, field }: RatePolicy, counted: Counted): Record<string, string> {
  const seconds = counted.isBlocked ? counted.timeToBlockExpire : counted.timeToExpire;
  return { 'ratelimit-policy': field, ratelimit: `"${name}";r=${counted.remaining};t=${seconds}` };
}

const whose = { service: 'Your service', user: 'You', ip: 'Your address or network' } as const;

function tooMany({ name, kind, limit, windowMs }: RatePolicy, waitSeconds: number): AppError {
  return new AppError('rate-limited', {
    detail: `${whose[kind]} may ask for this ${limit} times in ${windowMs / 1_000} s (policy "${name}"). Try again in ${waitSeconds} s.`,
    violatedPolicies: [name],
    headers: { 'retry-after': String(waitSeconds) },
  });
}
