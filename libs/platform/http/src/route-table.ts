import type { IncomingMessage } from 'node:http';

import type { FastifyInstance, RouteOptions } from 'fastify';

import { pathOf } from './path-of.js';

type Route = {
  readonly method: string;
  readonly url: string;
  readonly pattern: RegExp;
  readonly hashes: boolean;
};

const tables = new WeakMap<object, Route[]>();

/** Remembers every route of a server, so that a wrong method can be told from a wrong path. */
export function trackRoutes(server: FastifyInstance): void {
  const routes: Route[] = [];
  tables.set(server.server, routes);
  server.addHook('onRoute', ({ method, url, config }: RouteOptions) => {
    // the preflight of every address is no address
    if (url === '*') return;
    const pattern = toPattern(url);
    for (const name of [method].flat()) routes.push({ method: name, url, pattern, hashes: config?.hashes === true });
  });
}

/** Every route of a server: its method and its template. */
export function routesOf({ server }: FastifyInstance): readonly { readonly method: string; readonly url: string }[] {
  return tables.get(server) ?? [];
}

export type HashingRoute = Pick<Route, 'method' | 'url'>;

/** The route that hashes a password and that a request means, if it does. */
export function hashingRoute(
  { server }: FastifyInstance,
  { method, url = '' }: IncomingMessage,
): HashingRoute | undefined {
  const path = pathOf(url);
  const isMeant = (route: Route): boolean => route.hashes && route.method === method && route.pattern.test(path);
  return tables.get(server)?.find(isMeant);
}

/** The methods that the address takes, sorted; none when there is no such address (RFC 9110 §15.5.6). */
export function allowedMethods(server: FastifyInstance, url: string): readonly string[] {
  const path = pathOf(url);
  const matching = (tables.get(server.server) ?? []).filter(({ pattern }) => pattern.test(path));
  return [...new Set(matching.map(({ method }) => method))].toSorted();
}

function toPattern(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) =>
      part === '*' ? '.*' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(/:\w+/g, '[^/]+'),
    )
    .join('/');
  return new RegExp(`^${source}$`);
}
