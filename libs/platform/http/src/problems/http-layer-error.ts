import { HttpException } from '@nestjs/common';

import { AppError, type ErrorCode } from '#libs/platform/errors';

/** Errors that Fastify raises before any handler runs. */
const byFastifyCode: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_BAD_URL: 'invalid-url',
  FST_ERR_MAX_PARAM_LENGTH: 'url-too-long',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad-request',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed-json',
};
const byStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'bad-request',
  408: 'request-timeout',
  413: 'body-too-large',
  414: 'url-too-long',
  415: 'unsupported-media-type',
  431: 'headers-too-large',
  503: 'unavailable',
};

/** Gives an error of the HTTP layer its code; nothing for what is not one. */
export function toHttpLayerError(exception: unknown): AppError | undefined {
  if (!(exception instanceof Error)) return undefined;
  const cause: unknown = exception.cause;
  const code = codeOf(exception) ?? codeOf(cause);
  const known = code === undefined ? undefined : byFastifyCode[code];
  if (known) return new AppError(known, { cause: exception });
  const status = exception instanceof HttpException ? exception.getStatus() : statusOf(exception);
  const mapped = status === undefined ? undefined : byStatus[status];
  return mapped && new AppError(mapped, { cause: exception });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Only Fastify's own errors: a driver's error may have a `statusCode` that means something else.
 */
function statusOf(error: Error): number | undefined {
  const isFastify = codeOf(error)?.startsWith('FST_') === true;
  return isFastify && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
}
