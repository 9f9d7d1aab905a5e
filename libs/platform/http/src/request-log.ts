import type { FastifyReply, FastifyRequest } from 'fastify';

import { callerName } from '#libs/platform/access';

declare module 'fastify' {
  interface FastifyRequest {
    /** The code of the error that was answered. */
    errorCode: string | undefined;
  }
  interface FastifyContextConfig {
    /** The path holds a secret: only its template is logged. */
    isPathSecret?: boolean;
    /** Errors as RFC 6749 §5.2 has them; problem documents otherwise. */
    errorFormat?: 'oauth';
    /** Most bytes of a body this route takes. */
    bodyLimit?: number;
    /** The route hashes a password: while the queue for that is full it is refused before anything is done for it. */
    hashes?: boolean;
    /** Content types that this route takes; JSON if absent. */
    consumes?: readonly string[];
  }
}

/** Health probes come every few seconds from every balancer: of use only when something is wrong. */
const quiet = /^\/health\//;

/** One line a request: which handler did what for whom, and how long it took. */
export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const isAnswered = reply.raw.writableFinished;
  const statusCode = isAnswered ? reply.statusCode : 400;
  const route = request.routeOptions.url;
  const fields = {
    requestId: request.id,
    method: request.method,
    route: route ?? 'unmatched',
    ...(!request.routeOptions.config.isPathSecret && { path: pathOf(request.url) }),
    handler: request.handlerName ?? 'none',
    status: statusCode,
    durationMs: Math.round(reply.elapsedTime * 100) / 100,
    caller: request.principal ? callerName(request.principal) : 'anonymous',
    ip: request.ip,
    ...(request.errorCode && { errorCode: request.errorCode }),
    ...(!isAnswered && { errorCode: 'bad-request', isClientGone: true }),
  };
  if (route && quiet.test(route)) request.log[statusCode >= 500 ? 'warn' : 'debug'](fields, 'request');
  else if (statusCode >= 500) request.log[request.errorCode === 'overloaded' ? 'warn' : 'error'](fields, 'request');
  else request.log.info(fields, 'request');
}

/** Without the query, which may hold personal data; cut, since a log line is not for hostile lengths. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return (end === -1 ? url : url.slice(0, end)).slice(0, 256);
}
