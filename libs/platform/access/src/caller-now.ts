import type { FastifyRequest } from 'fastify';

import { anonymous, type Principal } from './principal.js';

/** What the guard leaves on a request. */
export type AskAgain = (request: FastifyRequest) => Promise<Principal>;

/**
 * Asks the guard again who calls, and whether they still may. For whatever lives longer than a moment: a deactivation, a
 * revocation or a key switched off must also end what was begun before. In memory; ask before each write.
 * @throws AppError what the guard says now, such as `invalid-token`, `invalid-service-key` or `forbidden`
 */
export type CallerNow = () => Promise<Principal>;

export function callerNow(request: FastifyRequest): CallerNow {
  // another field of the same GraphQL request leaves its own
  const { askAgain } = request;
  return async () => (askAgain ? askAgain(request) : anonymous);
}
