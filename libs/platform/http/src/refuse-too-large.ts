import type { IncomingMessage } from 'node:http';

import type { FastifyInstance } from 'fastify';

import { AppError } from '#libs/platform/errors';

import { mostReadAway, readAway } from './read-away.js';
import { refuseBeforeRouting } from './refuse-before-routing.js';
import { bodyLimitOf } from './route-table.js';

/** Whether a refused body is short enough to be read away, so that its client is sure to get the answer. */
export const isReadAway = ({ headers }: IncomingMessage): boolean => Number(headers['content-length']) <= mostReadAway;

/**
 * Refuses bodies that say that they are too large for their route: 413, with nothing made of them. A connection that is
 * closed with bytes unread is reset, and a client that is still sending may lose its answer with it (RFC 9112 §9.6): of
 * Python's and Node's most did. So what is a little too large is read away; what is more is not worth that.
 */
export function refuseTooLarge(server: FastifyInstance, smallestLimit: number): void {
  const routeOf = (request: IncomingMessage): string | undefined => {
    const length = Number(request.headers['content-length'] ?? 0);
    if (length <= smallestLimit) return undefined;
    const route = bodyLimitOf(server, request);
    return route && length > route.bodyLimit ? route.url : undefined;
  };
  refuseBeforeRouting(server, {
    refusal: new AppError('body-too-large', { headers: { connection: 'close' } }),
    refusedRoute: (request) => (isReadAway(request) ? undefined : routeOf(request)),
  });
  refuseBeforeRouting(server, {
    refusal: new AppError('body-too-large'),
    refusedRoute: (request) => (isReadAway(request) ? routeOf(request) : undefined),
    onRefused: readAway,
  });
}
