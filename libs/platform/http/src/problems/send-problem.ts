import type { FastifyReply, FastifyRequest } from 'fastify';

import type { AppError } from '#libs/platform/errors';

import { isDiscardable } from '../body/discard-body.js';
import { loggablePath } from '../log/request-path.js';
import { toPublicPath } from '../routes/public-path.js';
import { problemAnswer } from './problem-answer.js';

/** Sends the answer to an error, unless the request has been answered. */
export function sendProblem(error: AppError, request: FastifyRequest, reply: FastifyReply): void {
  request.errorCode = error.code;
  if (reply.sent) return;
  // Fastify would close after a body that it did not take
  if (error.status === 413 && isDiscardable(request.raw)) void reply.removeHeader('connection');
  const { status, headers, body } = problemAnswer(error, {
    path: toPublicPath(request, loggablePath(request)),
    requestId: request.id,
    errorFormat: request.routeOptions.config.errorFormat,
  });
  void reply.code(status).headers(headers).send(body);
}
