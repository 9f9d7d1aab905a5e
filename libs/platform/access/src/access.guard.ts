import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import { AppError } from '#libs/platform/errors';

import { type AccessRule, accessRule } from './access.decorators.js';
import { bearerToken, parseServiceKey, type ServiceKey } from './credentials.js';
import { anonymous, type Principal } from './principal.js';
import { ServiceVerifier } from './service-verifier.js';
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
    private readonly tokens: TokenVerifier,
    private readonly services: ServiceVerifier,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { rule, name } = this.#routeOf(context);
    request.handlerName = name;
    if (rule?.kind === 'public') return true;
    const token = bearerToken(request.headers);
    const key = parseServiceKey(request.headers);
    if (key) return this.#admitService(request, key, token, rule);
    if (token === undefined) return admitAnonymous(request, rule);
    const verified = this.tokens.verify(token);
    // a token in the cache needs no promise
    return verified instanceof Promise
      ? verified.then((principal) => admit(request, principal, rule))
      : admit(request, verified, rule);
  }

  /** A service that brings a user's token beside its own key acts for that user. */
  async #admitService(
    request: FastifyRequest,
    { name, secret }: ServiceKey,
    token: string | undefined,
    rule: AccessRule | undefined,
  ): Promise<boolean> {
    const service = await this.services.verify(name, secret);
    request.principal = service;
    if (token === undefined) return admit(request, service, rule);
    return admit(request, { ...(await this.tokens.verify(token)), service: service.name }, rule);
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

function admitAnonymous(request: FastifyRequest, rule: AccessRule | undefined): boolean {
  if (rule?.kind !== 'optional') throw new AppError('authentication-required');
  request.principal = anonymous;
  return true;
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
