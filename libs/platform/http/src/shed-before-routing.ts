import type { IncomingMessage, ServerResponse } from 'node:http';

import type { FastifyBaseLogger, FastifyInstance } from 'fastify';

import { type AppError, toProblem } from '#libs/platform/errors';

import { pathOf } from './path-of.js';
import { requestIdOf } from './request-id.js';
import { longestPath } from './request-log.js';
import { countRefusal } from './request-observers.js';
import { hashingRoute, type HashingRoute } from './route-table.js';
import { securityHeaders } from './security-headers.js';

type Shedding = {
  /** Whether requests to routes that hash are to be refused now. */
  readonly isFull: () => boolean;
  readonly refusal: AppError;
  readonly onRefused: () => void;
};

/**
 * Refuses requests to routes that hash before the framework has made anything of them: in a flood there are nine of
 * these to each login, and what they cost is taken from the logins (bench/login-flood.ts). All that is the same in each
 * refusal is made once. A browser of another origin goes the long way, where it gets the headers without which it could
 * not read the answer.
 */
export function shedBeforeRouting(server: FastifyInstance, { isFull, refusal, onRefused }: Shedding): void {
  const http = server.server;
  const handlers = http.listeners('request');
  const answer = answerer(refusal);
  const logs = new Map<string, FastifyBaseLogger>();
  http.removeAllListeners('request');
  http.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const route = isFull() && !request.headers.origin ? hashingRoute(server, request) : undefined;
    if (route === undefined) {
      for (const handle of handlers) handle.call(http, request, response);
      return;
    }
    onRefused();
    countRefusal(server, refusal.code);
    const requestId = requestIdOf(request);
    answer(response, pathOf(request.url ?? ''), requestId);
    let log = logs.get(route.url);
    if (!log) logs.set(route.url, (log = server.log.child(linePart(route, refusal))));
    log.warn({ requestId, ip: request.socket.remoteAddress }, 'request');
  });
}

/** What all lines about refusals of a route have in common. */
const linePart = ({ method, url }: HashingRoute, { status, code }: AppError): Readonly<Record<string, unknown>> => ({
  method,
  route: url,
  handler: 'none',
  status,
  caller: 'unknown',
  errorCode: code,
});

function answerer(refusal: AppError): (response: ServerResponse, path: string, requestId: string) => void {
  const hole = '';
  const problem = JSON.stringify(toProblem(refusal, { path: hole, requestId: hole }));
  const [start = '', middle = '', end = ''] = problem.split(JSON.stringify(hole));
  const headers = Object.entries({
    ...securityHeaders,
    ...refusal.options.headers,
    'content-type': 'application/problem+json; charset=utf-8',
  }).flat();
  return (response, path, requestId) => {
    const body = start + JSON.stringify(path.slice(0, longestPath)) + middle + JSON.stringify(requestId) + end;
    const length = String(Buffer.byteLength(body));
    response.writeHead(refusal.status, [...headers, 'content-length', length, 'x-request-id', requestId]);
    response.end(body);
  };
}
