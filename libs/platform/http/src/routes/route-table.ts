import type { IncomingMessage } from 'node:http';

import type { FastifyInstance, RouteOptions } from 'fastify';

import { rowMediaTypes } from '../body/body-parsers.js';
import { multipartMediaType } from '../body/multipart-upload.js';
import { pathOf } from '../log/request-path.js';

type Route = {
  readonly method: string;
  readonly url: string;
  readonly pattern: RegExp;
  readonly hashes: boolean;
  /** In bytes, where a body over it may be refused unseen. */
  readonly bodyLimit: number;
};

const tables = new WeakMap<object, Route[]>();

/** Remembers every route of a server, so that a wrong method can be told from a wrong path. */
export function trackRoutes(server: FastifyInstance): void {
  const routes: Route[] = [];
  const preset = server.initialConfig.bodyLimit ?? Number.POSITIVE_INFINITY;
  tables.set(server.server, routes);
  server.addHook('onRoute', ({ method, url, config, bodyLimit }: RouteOptions) => {
    // the preflight of every address is no address
    if (url === '*') return;
    const pattern = toPattern(url);
    for (const name of [method].flat()) {
      const limit = refusesUnseen(name, config) ? (config?.bodyLimit ?? bodyLimit ?? preset) : Number.POSITIVE_INFINITY;
      routes.push({ method: name, url, pattern, hashes: config?.hashesPassword === true, bodyLimit: limit });
    }
  });
}

/**
 * Not where there is no body to speak of, where the handler reads it as it comes, or where errors
 * look otherwise.
 */
const refusesUnseen = (method: string, config: RouteOptions['config'] = {}): boolean =>
  !bodyless.has(method) &&
  config.errorFormat === undefined &&
  config.errorPage === undefined &&
  config.isPathSecret !== true &&
  config.consumes?.some((type) => streamed.has(type)) !== true;

const bodyless = new Set(['GET', 'HEAD', 'OPTIONS']);
const streamed = new Set<string>([multipartMediaType, ...rowMediaTypes]);

/** Every route of a server: its method and its template. */
export function routesOf({ server }: FastifyInstance): readonly { readonly method: string; readonly url: string }[] {
  return tables.get(server) ?? [];
}

/** The template of the route that hashes a password and that a request means, if it does. */
export function hashingRoute({ server }: FastifyInstance, { method, url = '' }: IncomingMessage): string | undefined {
  const path = pathOf(url);
  const isMeant = (route: Route): boolean => route.hashes && route.method === method && route.pattern.test(path);
  return tables.get(server)?.find(isMeant)?.url;
}

/**
 * Of the routes that a request may mean the one that takes the largest body, with its limit in
 * bytes.
 */
export function bodyLimitOf(
  { server }: FastifyInstance,
  { method, url = '' }: IncomingMessage,
): Pick<Route, 'url' | 'bodyLimit'> | undefined {
  const path = pathOf(url);
  const meant = (tables.get(server) ?? []).filter((route) => route.method === method && route.pattern.test(path));
  return meant.toSorted((left, right) => right.bodyLimit - left.bodyLimit)[0];
}

/**
 * The methods that the address takes, sorted; none when there is no such address (RFC 9110
 * §15.5.6).
 */
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
