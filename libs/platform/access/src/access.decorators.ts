import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { anonymous, type Principal, type Role, type Scope } from './principal.js';

/** Who may call a route. Without a rule: any signed-in user. */
export type AccessRule =
  | { readonly kind: 'public' }
  | { readonly kind: 'optional' }
  | { readonly kind: 'requires'; readonly roles: readonly Role[]; readonly scopes: readonly Scope[] };

export const accessRule = 'gatehouse:access-rule';

/** Says it to the guard and to the OpenAPI document. */
const rule = (value: AccessRule): MethodDecorator =>
  applyDecorators(SetMetadata(accessRule, value), ApiExtension('x-access', value));

/** Anyone; credentials are not even looked at. */
export const Public = (): MethodDecorator => rule({ kind: 'public' });

/** Anyone; but credentials that are given must be good. */
export const OptionalAuth = (): MethodDecorator => rule({ kind: 'optional' });

/** Users with one of the roles, or services with one of the scopes. */
export const Requires = (needed: { roles?: readonly Role[]; scopes?: readonly Scope[] }): MethodDecorator =>
  rule({ kind: 'requires', roles: needed.roles ?? [], scopes: needed.scopes ?? [] });

/** The `Principal` of the request, as the guard found it. */
export const Caller = createParamDecorator(
  (_: undefined, context: ExecutionContext): Principal =>
    context.switchToHttp().getRequest<FastifyRequest>().principal ?? anonymous,
);
