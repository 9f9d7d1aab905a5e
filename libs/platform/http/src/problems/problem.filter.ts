import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Logger,
  NotFoundException,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { isGraphql, replyOf, requestOf } from '#libs/platform/access';
import { isUnavailable } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import { withTakenTypes } from '../body/content-negotiation.js';
import { toHttpLayerError } from './http-layer-error.js';
import { notFound } from './not-found.js';
import { sendProblem } from './send-problem.js';

const logger = new Logger('Problem');

/**
 * Answers every failure as a problem document (RFC 9457); logs the unexpected ones, once, here. A
 * GraphQL answer may hold several failures: to its resolver an error is given back, as one of ours.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(exception: unknown, host: ArgumentsHost): AppError | undefined {
    const request = requestOf(host);
    if (isGraphql(host)) return toLogged(exception, request);
    answerFailure(exception, request, replyOf(host));
    return undefined;
  }
}

/**
 * For what Fastify refuses before a handler runs, too: the way through Nest costs as much as the
 * refusal.
 */
export function answerFailure(exception: unknown, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(toLogged(exception, request), request, reply);
}

/** What is answered for an exception, with a line in the log when it was not expected. */
export function toLogged(exception: unknown, request: FastifyRequest): AppError {
  const error = toAppError(exception, request);
  // what we refuse on purpose has no cause, and its request line says enough
  if (error.status >= 500 && (error.cause !== undefined || error !== exception)) {
    logger.error({ requestId: request.id, code: error.code, err: error.cause ?? exception });
  }
  return error;
}

function toAppError(exception: unknown, request: FastifyRequest): AppError {
  if (exception instanceof NotFoundException) return notFound(request);
  // looks like a lost database, but no handler runs before the whole body is there
  if (request.raw.readableAborted) return new AppError('bad-request', { cause: exception });
  return withTakenTypes(toFailure(exception), request);
}

/**
 * What is answered for an exception, whatever was asked: one of ours, a lost database, or a fault
 * of our own.
 */
export function toFailure(exception: unknown): AppError {
  if (exception instanceof AppError) return exception;
  if (isUnavailable(exception))
    return new AppError('unavailable', { cause: exception, headers: { 'retry-after': '2' } });
  return toHttpLayerError(exception) ?? new AppError('internal-error', { cause: unwrapped(exception) });
}

const unwrapped = (exception: unknown): unknown =>
  exception instanceof HttpException ? (exception.cause ?? exception) : exception;
