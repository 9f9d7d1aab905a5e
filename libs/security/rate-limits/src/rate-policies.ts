import {
  addressKeys,
  addressWidths,
  isUser,
  type Principal,
  type RateClassName,
  rateClasses,
  type RateLimit,
  type RatePlan,
} from '#libs/platform/access';
import type { Config } from '#libs/platform/config';

export type CallerKind = 'service' | 'user' | 'ip';

/** A limit under its name; `field` is its text in the header field `RateLimit-Policy`. */
export type RatePolicy = RateLimit & {
  readonly name: `${CallerKind}-${RateClassName}` | `ip-${RateClassName}-${number}`;
  readonly kind: CallerKind;
  readonly rateClass: RateClassName;
  readonly field: string;
};
type Policies = Readonly<Record<RateClassName, RatePolicy>>;

/** A limit and the key under which a caller is counted by it. */
type Applied = { readonly policy: RatePolicy; readonly key: string };
/** The limits a request counts against: one, or for IPv6 one for each width, narrowest first. */
export type Subject = { readonly limits: readonly [Applied, ...Applied[]]; readonly service: string | undefined };

/** Finds what a request counts against: the service that calls, else the user, else the address. */
export class RatePolicies {
  readonly #byAddress: Policies;
  readonly #byWiderAddress: readonly Policies[];
  readonly #byUser: Policies;
  // when a plan changes, it is a new object
  readonly #byPlan = new WeakMap<RatePlan, Policies>();

  constructor(config: Config) {
    this.#byAddress = policiesOf('ip', perMinute(config, 'IP'));
    this.#byWiderAddress = addressWidths.slice(1).map((width) => widerPolicies(this.#byAddress, width));
    this.#byUser = policiesOf('user', perMinute(config, 'USER'));
  }

  /** A service is counted by its own plan, also when it acts for users. */
  subjectOf(principal: Principal | undefined, address: string, rateClass: RateClassName): Subject {
    const service = principal && (isUser(principal) ? principal.service : principal);
    if (service?.kind === 'service') {
      return { limits: [applied(this.#ofPlan(service.plan)[rateClass], service.name)], service: service.name };
    }
    if (principal && isUser(principal)) {
      return { limits: [applied(this.#byUser[rateClass], principal.userId)], service: undefined };
    }
    const [narrow = address, ...wider] = addressKeys(address);
    return {
      limits: [applied(this.#byAddress[rateClass], narrow), ...this.#wider(wider, rateClass)],
      service: undefined,
    };
  }

  #wider(keys: readonly string[], rateClass: RateClassName): readonly Applied[] {
    return keys.flatMap((key, at) => {
      const policies = this.#byWiderAddress[at];
      return policies ? [applied(policies[rateClass], key)] : [];
    });
  }

  #ofPlan(plan: RatePlan): Policies {
    const known = this.#byPlan.get(plan) ?? policiesOf('service', plan);
    this.#byPlan.set(plan, known);
    return known;
  }
}

/** When a limit changes, its counts go on; when its window changes, they begin anew. */
const keyOf = ({ name, windowSeconds }: Pick<RatePolicy, 'name' | 'windowSeconds'>, caller: string): string =>
  `${name}:${windowSeconds * 1_000}:${caller}`;

const applied = (policy: RatePolicy, caller: string): Applied => ({ policy, key: keyOf(policy, caller) });

/** The key under which a service's requests of a class are counted. */
export const serviceKey = (service: string, rateClass: RateClassName, { [rateClass]: { windowSeconds } }: RatePlan) =>
  keyOf({ name: `service-${rateClass}`, windowSeconds }, service);

function policiesOf(kind: CallerKind, plan: RatePlan): Policies {
  return byClass((rateClass) => {
    const { limit, windowSeconds } = plan[rateClass];
    const name = `${kind}-${rateClass}` as const;
    const field = fieldOf(name, limit, windowSeconds);
    return { name, kind, rateClass, limit, windowSeconds, field };
  });
}

function widerPolicies(policies: Policies, { bits, factor }: { bits: number; factor: number }): Policies {
  return byClass((rateClass) => {
    const narrow = policies[rateClass];
    const name = `ip-${rateClass}-${bits}` as const;
    const limit = narrow.limit * factor;
    return { ...narrow, name, limit, field: fieldOf(name, limit, narrow.windowSeconds) };
  });
}

/** draft-ietf-httpapi-ratelimit-headers */
const fieldOf = (name: string, limit: number, windowSeconds: number): string =>
  `"${name}";q=${limit};w=${windowSeconds}`;

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
