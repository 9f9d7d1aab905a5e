import type { IncomingMessage, ServerResponse } from 'node:http';

import type { FastifyInstance } from 'fastify';

import { type AppError, toProblem } from '#libs/platform/errors';

import { pathOf } from './path-of.js';
import { requestIdOf } from './request-id.js';
import { longestPath } from './request-log.js';
import { countRefusal } from './request-observers.js';
import { hashingRoute } from './route-table.js';
import { securityHeaders } from './security-headers.js';

type Shedding = {
  /** Whether requests to routes that hash are to be refused now. */
  readonly isFull: () => boolean;
  readonly refusal: AppError;
  readonly onRefused: () => void;
};

const constantHeaders = Object.entries(securityHeaders).flat();

/**
 * Refuses requests to routes that hash before the framework has made anything of them: in a flood there are nine of
 * these to each login, and what they cost is taken from the logins (bench/login-flood.ts). A browser of another origin
 * goes the long way, where it gets the headers without which it could not read the answer.
 */
export function shedBeforeRouting(server: FastifyInstance, { isFull, refusal, onRefused }: Shedding): void {
  const http = server.server;
  const handlers = http.listeners('request');
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
    answer(response, { refusal, requestId, path: pathOf(request.url ?? '').slice(0, longestPath) });
    const fields = { requestId, method: request.method, route, handler: 'none', status: refusal.status };
    server.log.warn(
      { ...fields, caller: 'unknown', ip: request.socket.remoteAddress, errorCode: refusal.code },
      'request',
    );
  });
}

type Answer = { readonly refusal: AppError; readonly requestId: string; readonly path: string };

function answer(response: ServerResponse, { refusal, requestId, path }: Answer): void {
  const body = JSON.stringify(toProblem(refusal, { path, requestId }));
  response.writeHead(refusal.status, [
    ...constantHeaders,
    ...Object.entries(refusal.options.headers ?? {}).flat(),
    'content-type',
    'application/problem+json; charset=utf-8',
    'content-length',
    String(Buffer.byteLength(body)),
    'x-request-id',
    requestId,
  ]);
  response.end(body);
}
