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
  const { errorFormat, errorPage } = request.routeOptions.config;
  const path = toPublicPath(request, loggablePath(request));
  const { status, headers, body } = problemAnswer(error, { path, requestId: request.id, errorFormat });
  void reply.code(status).headers(headers);
  if (!errorPage) return void reply.send(body);
  const page = errorPage(error, request);
  return void reply.headers(page.headers).send(page.body);
}
