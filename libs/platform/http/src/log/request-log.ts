import type { FastifyReply, FastifyRequest } from 'fastify';

import { callerName } from '#libs/platform/access';
import type { AppError, ErrorCode } from '#libs/platform/errors';

import { traceIdOf } from './request-ids.js';
import { loggablePath } from './request-path.js';

/** A page in place of a problem document. */
export type ErrorPage = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

declare module 'fastify' {
  interface FastifyRequest {
    /** The code of the error that was answered. */
    errorCode: string | undefined;
    /** The trace that our spans are in, when there are any. */
    traceId: string | undefined;
    /** What a GraphQL client calls its operation. */
    operationName: string | undefined;
  }
  interface FastifyContextConfig {
    /** The path holds a secret: only its template is logged. */
    isPathSecret?: boolean;
    /** The answer goes on until one of both ends it: who hangs up has had it. */
    isStream?: boolean;
    /** Errors as RFC 6749 §5.2 has them; problem documents otherwise. */
    errorFormat?: 'oauth';
    /** The route answers people: an error is this page (HTML), with the status of the error. */
    errorPage?: (error: AppError, request: FastifyRequest) => ErrorPage;
    /** Fields of a form whose repetition has a code of its own; else it is `invalid-request`. */
    whenRepeated?: Readonly<Record<string, ErrorCode>>;
    /** Most bytes of a body this route takes. */
    bodyLimit?: number;
    /**
     * The route hashes a password: while the queue for that is full it is refused before anything
     * is done for it.
     */
    hashesPassword?: boolean;
    /** Content codings of bodies that this route takes beside none (RFC 9110 §8.4.1). */
    contentCodings?: readonly string[];
    /** Content types that this route takes; JSON if absent. */
    consumes?: readonly string[];
  }
}

/**
 * Health probes come every few seconds from every balancer: of use only when something is wrong.
 */
const quiet = /^\/(health\/|metrics$)/;

/** The status that a request got; 400 if its client hung up before. */
export const statusOf = (reply: FastifyReply): number => (isAnswered(reply) ? reply.statusCode : 400);

function isAnswered({ raw, request: { routeOptions } }: FastifyReply): boolean {
  return raw.writableFinished || (routeOptions.config.isStream === true && raw.headersSent);
}

/** Refused by a limit that does its work: nothing is broken. */
const isFull = ({ errorCode }: FastifyRequest): boolean =>
  errorCode === 'overloaded' || errorCode === 'too-many-streams';

/** One line a request: which handler did what for whom, and how long it took. */
export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const statusCode = statusOf(reply);
  const traceId = request.traceId ?? traceIdOf(request.headers);
  const route = request.routeOptions.url;
  const fields = {
    requestId: request.id,
    method: request.method,
    route: route ?? 'unmatched',
    path: loggablePath(request),
    handler: request.handlerName ?? 'none',
    ...(request.operationName && { operation: request.operationName }),
    status: statusCode,
    durationMs: Math.round(reply.elapsedTime * 100) / 100,
    caller: request.principal ? callerName(request.principal) : 'anonymous',
    ip: request.clientAddress,
    ...(traceId !== undefined && { trace_id: traceId }),
    ...(request.errorCode && { errorCode: request.errorCode }),
    ...(!isAnswered(reply) && { errorCode: 'bad-request', isClientGone: true }),
  };
  if (route && quiet.test(route)) request.log[statusCode >= 500 ? 'warn' : 'debug'](fields, 'request');
  else if (statusCode >= 500) request.log[isFull(request) ? 'warn' : 'error'](fields, 'request');
  else request.log.info(fields, 'request');
}
