import type { IncomingMessage, ServerResponse } from 'node:http';

import type { FastifyBaseLogger, FastifyInstance } from 'fastify';

import { AppError } from '#libs/platform/errors';

import { discardBody, isDiscardable } from '../body/discard-body.js';
import { requestIdOf } from '../log/request-ids.js';
import { countRefusal } from '../log/request-observers.js';
import { longestPath, pathOf } from '../log/request-path.js';
import { problemAnswer } from '../problems/problem-answer.js';
import { bodyLimitOf } from '../routes/route-table.js';
import { securityHeaders } from './security-headers.js';

type Rule = {
  /** The template of the route that a request means, if the request is to be refused. */
  readonly refusedRoute: (request: IncomingMessage) => string | undefined;
  readonly refusal: AppError;
  readonly onRefused?: (request: IncomingMessage) => void;
};

const rulesByServer = new WeakMap<object, Rule[]>();

/**
 * Adds a rule that refuses requests before the framework has made anything of them. It is for what
 * attackers send most: in a flood of logins there are nine refusals to each login, and what they
 * cost is taken from the logins (bench/login-flood.ts). The rules are asked in the order of their
 * coming.
 */
export function refuseBeforeRouting(server: FastifyInstance, rule: Rule): void {
  rulesOf(server).unshift(rule);
}

/**
 * The rules of a server. The first call puts them before everything that listens for requests by
 * then.
 */
function rulesOf(server: FastifyInstance): Rule[] {
  const http = server.server;
  const known = rulesByServer.get(http);
  if (known) return known;
  const rules: Rule[] = [];
  rulesByServer.set(http, rules);
  const handlers = http.listeners('request');
  const refuse = refuser(server);
  http.removeAllListeners('request');
  http.on('request', (request: IncomingMessage, response: ServerResponse) => {
    for (const rule of rules) {
      const route = rule.refusedRoute(request);
      // a browser of another origin needs the CORS headers of the long way to read its answer
      if (route !== undefined && request.headers.origin === undefined) {
        refuse(rule, route, request, response);
        return;
      }
    }
    for (const handle of handlers) handle.call(http, request, response);
  });
  return rules;
}

function refuser(
  server: FastifyInstance,
): (rule: Rule, route: string, request: IncomingMessage, response: ServerResponse) => void {
  const logs = new Map<string, FastifyBaseLogger>();
  return ({ refusal, onRefused }, route, request, response) => {
    onRefused?.(request);
    countRefusal(server, refusal.code);
    const requestId = requestIdOf(request);
    const path = (server.publicPath + pathOf(request.url ?? '')).slice(0, longestPath);
    const { status, headers, body } = problemAnswer(refusal, { path, requestId });
    const length = Buffer.byteLength(body);
    response.writeHead(status, { ...securityHeaders, ...headers, 'content-length': length, 'x-request-id': requestId });
    response.end(body);
    const key = `${request.method} ${route} ${refusal.code}`;
    let log = logs.get(key);
    if (!log) logs.set(key, (log = server.log.child(sharedFields(request, route, refusal))));
    log[status >= 500 ? 'warn' : 'info']({ requestId, ip: server.clientAddressOf(request) }, 'request');
  };
}

/** What all log lines about the refusals of a route have in common. */
const sharedFields = ({ method }: IncomingMessage, route: string, { status, code }: AppError): object => ({
  method,
  route,
  handler: 'none',
  status,
  caller: 'unknown',
  errorCode: code,
});

/**
 * Refuses a body whose `Content-Length` is over the limit of its route: 413, with nothing made of
 * it. When a connection is closed with bytes unread it is reset, and a client that is still sending
 * may lose its answer with it (RFC 9112 §9.6): most clients in Python and Node did. So a body that
 * is a little too large is discarded; a larger one is not worth that, and its connection is closed.
 */
export function refuseTooLarge(server: FastifyInstance, smallestLimitBytes: number): void {
  const routeOf = (request: IncomingMessage): string | undefined => {
    const length = Number(request.headers['content-length'] ?? 0);
    if (length <= smallestLimitBytes) return undefined;
    const route = bodyLimitOf(server, request);
    return route && length > route.bodyLimit ? route.url : undefined;
  };
  refuseBeforeRouting(server, {
    refusal: new AppError('body-too-large', { headers: { connection: 'close' } }),
    refusedRoute: (request) => (isDiscardable(request) ? undefined : routeOf(request)),
  });
  refuseBeforeRouting(server, {
    refusal: new AppError('body-too-large'),
    refusedRoute: (request) => (isDiscardable(request) ? routeOf(request) : undefined),
    onRefused: discardBody,
  });
}
