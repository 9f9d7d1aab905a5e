import type { FastifyRequest } from 'fastify';

import { AppError } from '#libs/platform/errors';

import { allowedMethods } from '../routes/route-table.js';

/** 405 with `Allow` when the address takes other methods (RFC 9110 §15.5.6), else 404. */
export function notFound({ server, url, method }: FastifyRequest): AppError {
  const allow = allowedMethods(server, url);
  if (allow.length === 0 || allow.includes(method)) return new AppError('not-found');
  return new AppError('method-not-allowed', { headers: { allow: allow.join(', ') } });
}
