import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Logger,
  NotFoundException,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { isUnavailable } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import { toHttpLayerError } from './http-layer-error.js';
import { allowedMethods } from './route-table.js';
import { sendProblem } from './send-problem.js';

/** Answers every failure as a problem document (RFC 9457); logs the unexpected ones, once, here. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger = new Logger('Problem');

  catch(exception: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = toAppError(exception, request);
    // what we refuse on purpose has no cause, and its request line says enough
    if (error.status >= 500 && (error.cause !== undefined || error !== exception)) {
      this.#logger.error({ requestId: request.id, code: error.code, err: error.cause ?? exception });
    }
    sendProblem(error, request, reply);
  }
}

function toAppError(exception: unknown, request: FastifyRequest): AppError {
  if (exception instanceof AppError) return exception;
  if (exception instanceof NotFoundException) return noRoute(request);
  // looks like a lost database, but no handler runs before the whole body is there
  if (request.raw.readableAborted) return new AppError('bad-request', { cause: exception });
  if (isUnavailable(exception))
    return new AppError('unavailable', { cause: exception, headers: { 'retry-after': '2' } });
  return toHttpLayerError(exception) ?? new AppError('internal-error', { cause: unwrapped(exception) });
}

function noRoute(request: FastifyRequest): AppError {
  const allow = allowedMethods(request.server, request.url);
  if (allow.length === 0 || allow.includes(request.method)) return new AppError('not-found');
  return new AppError('method-not-allowed', { headers: { allow: allow.join(', ') } });
}

const unwrapped = (exception: unknown): unknown =>
  exception instanceof HttpException ? (exception.cause ?? exception) : exception;
