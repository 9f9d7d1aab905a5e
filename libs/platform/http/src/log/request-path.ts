import type { FastifyRequest } from 'fastify';

/** The path of a request's URL, without the query, which may hold personal data. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** A log line is not for hostile lengths. */
export const longestPath = 256;
/**
 * The longest that is logged of a part of a path that no route knows: an id fits, a token does not.
 */
const longestPart = 36;

/**
 * The path for logs, spans and problem documents, without the query and cut to `longestPath`. Where
 * the path holds a secret it is the template. Where no route is found, long parts are left out:
 * they may be a secret below a mistyped address.
 */
export function loggablePath({ url, routeOptions }: FastifyRequest): string {
  if (routeOptions.config.isPathSecret && routeOptions.url !== undefined) return routeOptions.url;
  const path = pathOf(url).slice(0, longestPath);
  if (routeOptions.url !== undefined) return path;
  return path
    .split('/')
    .map((part) => (part.length > longestPart ? '…' : part))
    .join('/');
}
