import type { IncomingMessage, ServerResponse } from 'node:http';

import type { FastifyBaseLogger, FastifyInstance } from 'fastify';

import { type AppError, toProblem } from '#libs/platform/errors';

import { pathOf } from './path-of.js';
import { requestIdOf } from './request-id.js';
import { longestPath } from './request-log.js';
import { countRefusal } from './request-observers.js';
import { securityHeaders } from './security-headers.js';

type Early = {
  /** The template of the route that a request means, if it is to be refused. */
  readonly refusedRoute: (request: IncomingMessage) => string | undefined;
  readonly refusal: AppError;
  readonly onRefused?: (request: IncomingMessage) => void;
};

/**
 * Refuses requests before the framework has made anything of them, for what attackers send most: in a flood of logins
 * there are nine refusals to each login, and what they cost is taken from the logins (bench/login-flood.ts). All that is
 * the same in each is made once. A browser of another origin goes the long way, where it gets the headers without which
 * it could not read the answer.
 */
export function refuseBeforeRouting(server: FastifyInstance, { refusedRoute, refusal, onRefused }: Early): void {
  const http = server.server;
  const handlers = http.listeners('request');
  const answer = answerer(refusal);
  const logs = new Map<string, FastifyBaseLogger>();
  http.removeAllListeners('request');
  http.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const route = refusedRoute(request);
    if (route === undefined || request.headers.origin !== undefined) {
      for (const handle of handlers) handle.call(http, request, response);
      return;
    }
    onRefused?.(request);
    countRefusal(server, refusal.code);
    const requestId = requestIdOf(request);
    answer(response, server.publicPath + pathOf(request.url ?? ''), requestId);
    const { method = '' } = request;
    const key = `${method} ${route}`;
    let log = logs.get(key);
    if (!log) logs.set(key, (log = server.log.child(linePart(method, route, refusal))));
    log[refusal.status >= 500 ? 'warn' : 'info']({ requestId, ip: server.clientAddressOf(request) }, 'request');
  });
}

/** What all lines about refusals of a route have in common. */
const linePart = (method: string, route: string, { status, code }: AppError): Readonly<Record<string, unknown>> => ({
  method,
  route,
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
