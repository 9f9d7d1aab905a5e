import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { anonymous, type Principal } from './principal.js';
import { requestOf } from './request-of.js';

/** Where a request came from: who, from which address, under which id. What an audit row keeps of it. */
export type Origin = {
  readonly caller: Principal;
  readonly ip: string;
  readonly userAgent: string | undefined;
  readonly requestId: string;
};

/** The `Origin` of the request. */
export const From = createParamDecorator((_: undefined, context: ExecutionContext): Origin => {
  const request = requestOf(context);
  return {
    caller: request.principal ?? anonymous,
    ip: request.ip,
    userAgent: request.headers['user-agent']?.slice(0, 256),
    requestId: request.id,
  };
});
