import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { type CallerNow, callerNow } from './caller-now.js';
import { anonymous, type Principal } from './principal.js';
import { requestOf } from './request-of.js';

/** Where a request came from: who, from which address, under which id. What an audit row keeps of it. */
export type RequestSource = {
  readonly caller: Principal;
  readonly ip: string;
  readonly userAgent: string | undefined;
  readonly requestId: string;
  /** For what takes longer than a moment. */
  readonly callerNow: CallerNow;
};

export const sourceOf = (request: FastifyRequest): RequestSource => ({
  caller: request.principal ?? anonymous,
  ip: request.clientAddress,
  userAgent: request.headers['user-agent']?.slice(0, 256),
  requestId: request.id,
  callerNow: callerNow(request),
});

/** The `RequestSource` of the request. */
export const Source = createParamDecorator((_: undefined, context: ExecutionContext): RequestSource =>
  sourceOf(requestOf(context)),
);
