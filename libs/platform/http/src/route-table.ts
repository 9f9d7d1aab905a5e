import type { FastifyInstance, RouteOptions } from 'fastify';

type Route = { readonly method: string; readonly pattern: RegExp };

const tables = new WeakMap<object, Route[]>();

/** Remembers every route of a server, so that a wrong method can be told from a wrong path. */
export function trackRoutes(server: FastifyInstance): void {
  const routes: Route[] = [];
  tables.set(server.server, routes);
  server.addHook('onRoute', ({ method, url }: RouteOptions) => {
    const pattern = toPattern(url);
    for (const name of [method].flat()) routes.push({ method: name, pattern });
  });
}

/** The methods that the address takes, sorted; none when there is no such address (RFC 9110 §15.5.6). */
export function allowedMethods(server: FastifyInstance, url: string): readonly string[] {
  const path = url.split('?', 1)[0] ?? '';
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
