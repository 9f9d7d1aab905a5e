import { type CanActivate, type ExecutionContext, Inject, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import { isAdmitted, isGraphql, type RateClassName, RefusalLimiter, replyOf, requestOf } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';
import { multipartMediaType } from '#libs/platform/http';

import { type Counted, LIMIT_STORE, type LimitStore } from './limit-store.js';
import { RateLimitState } from './rate-limit-state.js';
import { RatePolicies, type RatePolicy, type Subject } from './rate-policies.js';

const rateClass = 'gatehouse:rate-class';

/**
 * Counts a route against the limits of these classes. Without it, GET and HEAD are `read`, and all
 * else is `write`. A form with a file counts as `upload` too, on every route that takes one.
 */
export const RateClass = (...names: readonly RateClassName[]): MethodDecorator => SetMetadata(rateClass, names);

/** Is told of each request that a service made; the lib `services` keeps the counts. */
export abstract class ServiceUsageLog {
  abstract add(service: string, rateClass: RateClassName, outcome: 'used' | 'refused'): void;
}

/** What `@SkipThrottle()` of the throttler leaves on a handler. */
const skipped = 'THROTTLER:SKIPdefault';

/** Counts every request but those to `@Unlimited()` routes, and refuses those over the limit. */
@Injectable()
export class RateLimitGuard extends RefusalLimiter implements CanActivate {
  readonly #policies: RatePolicies;
  readonly #isOff: boolean;
  readonly #classes = new WeakMap<object, readonly RateClassName[]>();
  /** GraphQL requests whose one counted `read` was used by a field. */
  readonly #spent = new WeakSet<FastifyRequest>();

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
    const names = this.#classesUsed(context);
    return names.length === 0 || this.#isCounted(names, context) || this.#count(names, context);
  }

  override async countRefusal(context: ExecutionContext): Promise<void> {
    await this.canActivate(context);
  }

  /**
   * Whether the request was counted before its body was read. A GraphQL request is counted as one
   * `read` then, so that refused queries count too. That one is for the first field that reads.
   */
  #isCounted(names: readonly RateClassName[], context: ExecutionContext): boolean {
    if (!isAdmitted(context)) return false;
    if (!isGraphql(context)) return true;
    const request = requestOf(context);
    if (this.#spent.has(request) || names.some((name) => name !== 'read')) return false;
    this.#spent.add(request);
    return true;
  }

  async #count(names: readonly RateClassName[], context: ExecutionContext): Promise<true> {
    const [first, ...more] = names;
    const counts = first === undefined ? [] : [await this.#countIn(first, context)];
    if (more.length > 0) counts.push(...(await Promise.all(more.map((name) => this.#countIn(name, context)))));
    const tightest = counts.reduce((one, other) => (isTighter(other.counted, one.counted) ? other : one));
    void replyOf(context).headers(fieldsOf(tightest.policy, tightest.counted));
    const violated = counts.filter(({ counted }) => counted.isBlocked).map(({ policy }) => policy);
    if (violated.length === 0) return true;
    for (const { kind, rateClass: name } of violated) this.state.addRefusal(kind, name);
    throw tooMany(tightest.policy, tightest.counted.timeToBlockExpire, violated);
  }

  async #countIn(name: RateClassName, context: ExecutionContext): Promise<Standing> {
    const request = requestOf(context);
    const { limits, service } = this.#policies.subjectOf(request.principal, request.clientAddress, name);
    const { policy, counted } = await this.#tightest(limits);
    if (service !== undefined) this.usage.add(service, name, counted.isBlocked ? 'refused' : 'used');
    return { policy, counted };
  }

  /** Counts by all limits, and tells of the one that refuses or that will be used up first. */
  async #tightest(limits: Subject['limits']): Promise<Standing> {
    const [{ policy, key }, ...wider] = limits;
    if (wider.length === 0) {
      return { policy, counted: await this.store.increment(key, policy.windowSeconds * 1_000, policy.limit) };
    }
    const keys = limits.map(({ key, policy: { limit } }) => ({ key, limit }));
    const counts = await this.store.incrementNested(keys, policy.windowSeconds * 1_000);
    const standings = counts.flatMap((counted, at) => (limits[at] ? [{ policy: limits[at].policy, counted }] : []));
    return standings.reduce((tight, next) => (isTighter(next.counted, tight.counted) ? next : tight));
  }

  /** A registration may come with a picture; only the request tells. */
  #classesUsed(context: ExecutionContext): readonly RateClassName[] {
    const own = this.#classesOf(context);
    const isUpload = own.length > 0 && !own.includes('upload') && isFormWithFiles(requestOf(context));
    return isUpload ? [...own, 'upload'] : own;
  }

  #classesOf(context: ExecutionContext): readonly RateClassName[] {
    const handler = context.getHandler();
    const known = this.#classes.get(handler);
    if (known) return known;
    const { method } = requestOf(context);
    const preset = method === 'GET' || method === 'HEAD' ? 'read' : 'write';
    const isSkipped = this.reflector.getAllAndOverride<boolean | undefined>(skipped, [handler, context.getClass()]);
    const own = this.reflector.get<readonly RateClassName[] | undefined>(rateClass, handler) ?? [preset];
    const found = isSkipped === true ? [] : own;
    this.#classes.set(handler, found);
    return found;
  }
}

/** What is counted for a caller by a policy. */
type Standing = { readonly policy: RatePolicy; readonly counted: Counted };

/** The tightest is the one with the longest wait, else the one with the fewest requests left. */
function isTighter(one: Counted, other: Counted): boolean {
  if (one.isBlocked || other.isBlocked) return one.timeToBlockExpire > other.timeToBlockExpire;
  return one.remaining < other.remaining;
}

function isFormWithFiles({ headers, routeOptions }: FastifyRequest): boolean {
  const isTaken = routeOptions.config.consumes?.includes(multipartMediaType) === true;
  return isTaken && headers['content-type']?.toLowerCase().startsWith(multipartMediaType) === true;
}

/** What is left, and when there will be more (draft-ietf-httpapi-ratelimit-headers). */
function fieldsOf({ name, field }: RatePolicy, counted: Counted): Record<string, string> {
  const seconds = counted.isBlocked ? counted.timeToBlockExpire : counted.timeToExpire;
  return { 'ratelimit-policy': field, ratelimit: `"${name}";r=${counted.remaining};t=${seconds}` };
}

const whose = { service: 'Your service', user: 'You', ip: 'Your address or network' } as const;

function tooMany(tightest: RatePolicy, waitSeconds: number, violated: readonly RatePolicy[]): AppError {
  const { name, kind, limit, windowSeconds } = tightest;
  return new AppError('rate-limited', {
    detail: `${whose[kind]} may ask for this ${limit} times in ${windowSeconds} s (policy "${name}"). Try again in ${waitSeconds} s.`,
    violatedPolicies: violated.map((policy) => policy.name),
    headers: { 'retry-after': String(waitSeconds) },
  });
}
