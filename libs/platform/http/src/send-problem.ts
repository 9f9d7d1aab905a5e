import type { FastifyReply, FastifyRequest } from 'fastify';

import { type AppError, toOAuthError, toProblem } from '#libs/platform/errors';

import { toPublicPath } from './public-path.js';
import { isReadAway } from './refuse-too-large.js';
import { loggablePath } from './request-log.js';

/** Challenges of RFC 6750 §3: the error is named only when a token was given. */
const bearer = (error: AppError): string =>
  error.code === 'invalid-token' ? 'Bearer realm="gatehouse", error="invalid_token"' : 'Bearer realm="gatehouse"';

/** Sends the problem document of an error, once: what was already answered stays. */
export function sendProblem(error: AppError, request: FastifyRequest, reply: FastifyReply): void {
  request.errorCode = error.code;
  if (reply.sent) return;
  // Fastify would close after a body that it did not take
  if (error.status === 413 && isReadAway(request.raw)) void reply.removeHeader('connection');
  const isOAuth = request.routeOptions.config.errorFormat === 'oauth';
  if (error.status === 401) void reply.header('www-authenticate', isOAuth ? 'Basic realm="gatehouse"' : bearer(error));
  const type = isOAuth ? 'application/json' : 'application/problem+json';
  const body = isOAuth
    ? toOAuthError(error, request.id)
    : toProblem(error, { path: toPublicPath(request, loggablePath(request)), requestId: request.id });
  void reply
    .code(error.status)
    .headers({ ...error.options.headers, 'content-type': `${type}; charset=utf-8` })
    .send(JSON.stringify(body));
}
