import type { FastifyRequest } from 'fastify';
import { Counter, Histogram, type Registry } from 'prom-client';

import type { Principal } from '#libs/platform/access';

type Route = { readonly method: string; readonly url: string };

/** `me` takes 1 ms and a login 25 ms; a request of more than 5 s has met a time-out. */
const bucketSeconds = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
/** Upper bound of series: a registry of thousands of services must not make as many. */
const serviceLimit = 100;
const unmatched = 'unmatched';

/**
 * Counts and times requests. Labels come from closed sets: route templates, methods that routes
 * have, status codes, and names of services that have proved who they are. Everything else becomes
 * one value, because strangers may send anything.
 */
export class RequestMetrics {
  readonly #counter: Counter;
  readonly #histogram: Histogram;
  // hot path: to look a series up by its labels costs more than to count
  readonly #counters = new Map<string, { inc(): void }>();
  readonly #timers = new Map<string, { observe(seconds: number): void }>();
  readonly #services = new Set<string>();

  constructor(registry: Registry, routes: readonly Route[]) {
    this.#counter = new Counter({
      name: 'gatehouse_http_requests_total',
      help: 'Requests by route template, method (HEAD counts as GET), status code and caller',
      labelNames: ['route', 'method', 'status', 'caller'],
      registers: [registry],
    });
    this.#histogram = new Histogram({
      name: 'gatehouse_http_request_duration_seconds',
      help: 'From the head of a request to the end of its answer, by route template and method',
      labelNames: ['route', 'method'],
      buckets: bucketSeconds,
      registers: [registry],
    });
    // All series exist from the start, so that `rate` does not lose the first request of each.
    for (const { method, url } of routes) {
      if (method === 'HEAD') continue;
      this.#histogram.zero({ route: url, method });
      this.#timers.set(`${method} ${url}`, this.#histogram.labels({ route: url, method }));
    }
  }

  observe(request: FastifyRequest, seconds: number, status: number): void {
    const name = request.method === 'HEAD' ? 'GET' : request.method;
    const timer = this.#timers.get(`${name} ${request.routeOptions.url}`);
    const [route, method] = timer ? [request.routeOptions.url ?? unmatched, name] : [unmatched, 'any'];
    // how long a client stays says nothing of how fast it was answered
    if (request.routeOptions.config.isStream !== true) timer?.observe(seconds);
    const caller = this.#callerOf(request.principal);
    const key = `${route} ${method} ${status} ${caller}`;
    let counter = this.#counters.get(key);
    if (!counter) {
      counter = this.#counter.labels({ route, method, status: String(status), caller });
      this.#counters.set(key, counter);
    }
    counter.inc();
  }

  /** The service's name, also when it acts for a user, or the kind of another caller. */
  #callerOf(principal: Principal | undefined): string {
    if (principal === undefined) return 'anonymous';
    const service = serviceOf(principal);
    if (service === undefined) return principal.kind;
    if (!this.#services.has(service)) {
      if (this.#services.size >= serviceLimit) return 'service:others';
      this.#services.add(service);
    }
    return `service:${service}`;
  }
}

const serviceOf = (principal: Principal): string | undefined => {
  if (principal.kind === 'service') return principal.name;
  return principal.kind === 'user' ? principal.service?.name : undefined;
};
