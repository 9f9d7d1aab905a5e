import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import { AppError } from '#libs/platform/errors';

import { type AccessRule, accessRule } from './access.decorators.js';
import { anonymous, type Principal } from './principal.js';
import { TokenVerifier } from './token-verifier.js';

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined;
    /** `Class.method` of the handler, for the log. */
    handlerName: string | undefined;
  }
}

type Route = { readonly rule: AccessRule | undefined; readonly name: string };

/** Closes every route: nobody gets in without good credentials unless the route says so. */
@Injectable()
export class AccessGuard implements CanActivate {
  readonly #routes = new WeakMap<object, Route>();

  constructor(
    private readonly reflector: Reflector,
    private readonly verifier: TokenVerifier,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { rule, name } = this.#routeOf(context);
    request.handlerName = name;
    if (rule?.kind === 'public') return true;
    const token = bearerToken(request.headers.authorization);
    if (token === undefined) {
      if (rule?.kind !== 'optional') throw new AppError('authentication-required');
      request.principal = anonymous;
      return true;
    }
    const verified = this.verifier.verify(token);
    // a token in the cache needs no promise
    return verified instanceof Promise
      ? verified.then((principal) => admit(request, principal, rule))
      : admit(request, verified, rule);
  }

  #routeOf(context: ExecutionContext): Route {
    const handler = context.getHandler();
    const known = this.#routes.get(handler);
    if (known) return known;
    const target = context.getClass();
    const route = {
      rule: this.reflector.getAllAndOverride<AccessRule | undefined>(accessRule, [handler, target]),
      name: `${target.name}.${handler.name}`,
    };
    this.#routes.set(handler, route);
    return route;
  }
}

/** The credentials of RFC 6750 §2.1; the scheme is case-insensitive (RFC 9110 §11.1). */
function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const match = /^bearer +([^\s]+) *$/i.exec(header);
  if (!match?.[1]) throw new AppError('invalid-token', { detail: 'Send `Authorization: Bearer <access token>`.' });
  return match[1];
}

function admit(request: FastifyRequest, principal: Principal, rule: AccessRule | undefined): boolean {
  request.principal = principal;
  if (rule?.kind !== 'requires') return true;
  const isAllowed =
    (principal.kind === 'user' && rule.roles.some((role) => principal.roles.includes(role))) ||
    (principal.kind === 'service' && rule.scopes.some((scope) => principal.scopes.includes(scope)));
  if (!isAllowed) throw new AppError('forbidden');
  return true;
}
