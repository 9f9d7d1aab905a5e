import {
  isUser,
  type Principal,
  type RateClassName,
  rateClasses,
  type RateLimit,
  type RatePlan,
} from '#libs/platform/access';
import type { Config } from '#libs/platform/config';

import { addressKey } from './address-key.js';

export type CallerKind = 'service' | 'user' | 'ip';

/** One limit under its name; `field` is its `RateLimit-Policy`. */
export type RatePolicy = {
  readonly name: `${CallerKind}-${RateClassName}`;
  readonly kind: CallerKind;
  readonly rateClass: RateClassName;
  readonly limit: number;
  readonly windowMs: number;
  readonly field: string;
};
type Policies = Readonly<Record<RateClassName, RatePolicy>>;

/** Who is counted, by which limit, under which key. */
export type Subject = { readonly policy: RatePolicy; readonly key: string; readonly service: string | undefined };

/** Finds what a request counts against: the service that calls, else the user, else the address. */
export class RatePolicies {
  readonly #byAddress: Policies;
  readonly #byUser: Policies;
  // a plan that changes is a new object
  readonly #byPlan = new WeakMap<RatePlan, Policies>();

  constructor(config: Config) {
    this.#byAddress = policiesOf('ip', perMinute(config, 'IP'));
    this.#byUser = policiesOf('user', perMinute(config, 'USER'));
  }

  /** A service counts on its own plan also when it brings a user's token, or many users' passwords. */
  subjectOf(principal: Principal | undefined, ip: string, rateClass: RateClassName): Subject {
    const service = principal && (isUser(principal) ? principal.service : principal);
    if (service?.kind === 'service') {
      const policy = this.#ofPlan(service.plan)[rateClass];
      return { policy, key: keyOf(policy, service.name), service: service.name };
    }
    const isKnown = principal !== undefined && isUser(principal);
    const policy = (isKnown ? this.#byUser : this.#byAddress)[rateClass];
    return { policy, key: keyOf(policy, isKnown ? principal.userId : addressKey(ip)), service: undefined };
  }

  #ofPlan(plan: RatePlan): Policies {
    const known = this.#byPlan.get(plan) ?? policiesOf('service', plan);
    this.#byPlan.set(plan, known);
    return known;
  }
}

/** A limit that changes goes on with the same counts; another length of window begins anew. */
const keyOf = ({ name, windowMs }: Pick<RatePolicy, 'name' | 'windowMs'>, caller: string): string =>
  `${name}:${windowMs}:${caller}`;

/** Under which a service's requests of a class are counted. */
export const serviceKey = (service: string, rateClass: RateClassName, { [rateClass]: { windowSeconds } }: RatePlan) =>
  keyOf({ name: `service-${rateClass}`, windowMs: windowSeconds * 1_000 }, service);

function policiesOf(kind: CallerKind, plan: RatePlan): Policies {
  return byClass((rateClass) => {
    const { limit, windowSeconds } = plan[rateClass];
    const name = `${kind}-${rateClass}` as const;
    // draft-ietf-httpapi-ratelimit-headers
    const field = `"${name}";q=${limit};w=${windowSeconds}`;
    return { name, kind, rateClass, limit, windowMs: windowSeconds * 1_000, field };
  });
}

const aMinute = (limit: number): RateLimit => ({ limit, windowSeconds: 60 });

function perMinute(config: Config, who: 'IP' | 'USER'): RatePlan {
  return {
    read: aMinute(config[`RATE_LIMIT_${who}_READ`]),
    write: aMinute(config[`RATE_LIMIT_${who}_WRITE`]),
    login: aMinute(config[`RATE_LIMIT_${who}_LOGIN`]),
    hash: aMinute(config[`RATE_LIMIT_${who}_HASH`]),
    upload: aMinute(config[`RATE_LIMIT_${who}_UPLOAD`]),
  };
}

function byClass<T>(make: (name: RateClassName) => T): Readonly<Record<RateClassName, T>> {
  const [read, write, login, hash, upload] = rateClasses;
  return { read: make(read), write: make(write), login: make(login), hash: make(hash), upload: make(upload) };
}
