import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { anonymous, isUser, type Principal } from './principal.js';
import { requestOf } from './request-of.js';

/** What the guard leaves on a request. */
export type AskAgain = (request: FastifyRequest) => Promise<Principal>;

/**
 * Asks the guard again who calls, and whether they still may. For whatever lives longer than a
 * moment: a deactivation, a revocation or a key switched off must also end what was begun before.
 * In memory; ask before each write.
 * @throws AppError what the guard says now, such as `invalid-token`, `invalid-service-key` or
 * `forbidden`
 */
export type CallerNow = () => Promise<Principal>;

export function callerNow(request: FastifyRequest): CallerNow {
  // another field of the same GraphQL request leaves its own
  const { askAgain } = request;
  return async () => (askAgain ? askAgain(request) : anonymous);
}

/**
 * Where a request came from: who, from which address, under which id. What an audit row keeps of
 * it.
 */
export type RequestSource = {
  readonly caller: Principal;
  readonly ip: string;
  readonly userAgent: string | undefined;
  /** `Accept-Language` as it came: mail that follows from the request may be in it. */
  readonly acceptLanguage: string | undefined;
  readonly requestId: string;
  /** For what takes longer than a moment. */
  readonly callerNow: CallerNow;
};

export const sourceOf = (request: FastifyRequest): RequestSource => ({
  caller: request.principal ?? anonymous,
  ip: request.clientAddress,
  userAgent: request.headers['user-agent']?.slice(0, 256),
  acceptLanguage: request.headers['accept-language']?.slice(0, 256),
  requestId: request.id,
  callerNow: callerNow(request),
});

/** The `RequestSource` of the request. */
export const Source = createParamDecorator((_: undefined, context: ExecutionContext): RequestSource =>
  sourceOf(requestOf(context)),
);

/**
 * `Accept-Language`, when the user may have sent it: nobody else chooses the language of a person's
 * mail, and whoever is not signed in may be that person.
 */
export const languageOf = (
  userId: string,
  { caller, acceptLanguage }: Pick<RequestSource, 'caller'> & Partial<RequestSource>,
): string | undefined =>
  caller.kind === 'anonymous' || (isUser(caller) && caller.userId === userId) ? acceptLanguage : undefined;
