import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import { type Config, CONFIG } from '#libs/platform/config';
import { AppError, type ErrorCode } from '#libs/platform/errors';

import { type AccessRule, assertAdmitted } from './access-rule.js';
import { accessRule, freshAuthentication, withoutSecondFactor } from './access.decorators.js';
import { clientCredentials, hasClientHeaders } from './client-credentials.js';
import { bearerToken, findBearerToken, parseServiceKey, type ServiceKey } from './credentials.js';
import type { AskAgain } from './request-source.js';
import { assertFreshlyAuthenticated } from './fresh-authentication.js';
import {
  anonymous,
  isUser,
  type Principal,
  type Scope,
  type ServicePrincipal,
  type TokenPrincipal,
} from './principal.js';
import { assertSecondFactor } from './second-factor.js';
import { RefusalLimiter, ServiceVerifier, TokenVerifier } from './verifiers.js';
import { requestOf } from './request-of.js';

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined;
    /** How to ask again who calls: see `callerNow`. */
    askAgain: AskAgain | undefined;
    /**
     * `Class.method` of the handler, for the log; of a GraphQL request all of them, with spaces
     * between.
     */
    handlerName: string | undefined;
    /** The guards have let it in before its body was read: it has been counted. */
    isAdmitted: boolean;
  }
}

type Rule = AccessRule | undefined;
type Admission = {
  readonly rule: Rule;
  readonly needsFreshAuthentication: boolean;
  /** Whoever holds one of these must have given a second factor. */
  readonly secondFactorRoles: readonly string[];
};
type KeyAndToken = { readonly key: ServiceKey | undefined; readonly token: string };
type Route = Admission & { readonly name: string; readonly askAgain: AskAgain };

/** Closes every route: nobody gets in without good credentials unless the route says so. */
@Injectable()
export class AccessGuard implements CanActivate {
  readonly #routes = new WeakMap<object, Route>();

  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokenVerifier,
    private readonly services: ServiceVerifier,
    private readonly refusals: RefusalLimiter,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = requestOf(context);
    const route = this.#routeOf(context);
    const { rule } = route;
    request.askAgain = route.askAgain;
    // Routes with bodies are asked twice: before the body is read, and once it is there, since
    // trust may have ended while it was on its way, and a form may name a client too.
    request.handlerName = withName(request.handlerName, route.name);
    if (rule?.kind === 'public') return admitUnseen(request);
    try {
      const admitted = this.#admit(request, route);
      return admitted instanceof Promise ? admitted.catch((error: unknown) => this.#refuse(error, context)) : admitted;
    } catch (error) {
      return this.#refuse(error, context);
    }
  }

  /**
   * Whether the guard cannot tell who calls before it sees the body: an OAuth client may prove
   * itself in the form.
   */
  isBodyNeeded(context: ExecutionContext): boolean {
    return this.#routeOf(context).rule?.kind === 'client' && !hasClientHeaders(requestOf(context));
  }

  /** The guard of the rate limits does not run after a refusal, and guesses must count. */
  async #refuse(error: unknown, context: ExecutionContext): Promise<never> {
    if (error instanceof AppError && error.status < 500) await this.refusals.countRefusal(context);
    throw error;
  }

  #admit(request: FastifyRequest, route: Admission): boolean | Promise<boolean> {
    const { rule } = route;
    if (rule?.kind === 'client') return this.#admitClient(request, route, rule.scope);
    if (rule?.kind === 'guarded-within') return this.#findCaller(request);
    const key = parseServiceKey(request.headers);
    if (rule?.kind === 'public-or-service') return this.#admitPublic(request, route, key);
    if (rule?.kind === 'lenient') return this.#admitLeniently(request, key);
    const token = bearerToken(request.headers);
    if (key) return this.#admitService(request, key, route, token);
    if (token === undefined) return admitAnonymous(request, rule);
    const verified = this.tokens.verify(token);
    // a token in the cache needs no promise
    return verified instanceof Promise
      ? verified.then((principal) => admit(request, principal, route))
      : admit(request, verified, route);
  }

  /** A service that brings a user's token beside its own key acts for that user. */
  async #admitService(request: FastifyRequest, key: ServiceKey, route: Admission, token?: string): Promise<boolean> {
    const service = await this.#serviceOf(request, key);
    if (token === undefined) return admit(request, service, route);
    return admit(request, together(await this.tokens.verify(token), service), route);
  }

  /** An OAuth client: by its secret, or for a scope by a token of its own too (RFC 7662 §2.1). */
  async #admitClient(request: FastifyRequest, route: Admission, scope: Scope | undefined): Promise<boolean> {
    const key = clientCredentials(request);
    const token = findBearerToken(request.headers);
    if (token !== undefined && scope === undefined) throw new AppError('invalid-service-key');
    const service = key && (await this.#serviceOf(request, key));
    const verified = token === undefined ? service : await this.tokens.verify(token);
    if (!verified || isUser(verified)) throw new AppError('invalid-service-key');
    return admit(request, together(verified, service), route);
  }

  /** Who signs a user in may send that user's old token too: it says nothing of who calls. */
  #admitPublic(request: FastifyRequest, route: Admission, key: ServiceKey | undefined): boolean | Promise<boolean> {
    const token = findBearerToken(request.headers);
    if (token !== undefined) return this.#admitPublicWith(request, route, { key, token });
    return key ? this.#admitService(request, key, route) : admitUnseen(request);
  }

  async #admitPublicWith(request: FastifyRequest, route: Admission, { key, token }: KeyAndToken): Promise<boolean> {
    const service = key && (await this.#serviceOf(request, key));
    const verified = await this.tokens.verifyService(token);
    const caller = verified ? together(verified, service) : service;
    return caller ? admit(request, caller, route) : admitUnseen(request);
  }

  /** Left on the request at once: a refusal that comes after counts on the service's plan. */
  async #serviceOf(request: FastifyRequest, key: ServiceKey): Promise<ServicePrincipal> {
    const service = await this.services.verify(key);
    request.principal = service;
    return service;
  }

  async #admitLeniently(request: FastifyRequest, key: ServiceKey | undefined): Promise<boolean> {
    return this.#admitWith(request, key && (await this.services.verify(key)));
  }

  async #findCaller(request: FastifyRequest): Promise<boolean> {
    const service = await unlessRefused('invalid-service-key', () => {
      const key = parseServiceKey(request.headers);
      return key && this.services.verify(key);
    });
    return this.#admitWith(request, service);
  }

  /** With whom the access token stands for, if there is one and it is good. */
  async #admitWith(request: FastifyRequest, service: ServicePrincipal | undefined): Promise<boolean> {
    const caller = await unlessRefused('invalid-token', async () => {
      const token = bearerToken(request.headers);
      return token === undefined ? undefined : together(await this.tokens.verify(token), service);
    });
    request.principal = caller ?? service ?? anonymous;
    return true;
  }

  /**
   * The same credentials against the same rule; what has ended since the request came in is refused
   * now.
   */
  async #askAgain(request: FastifyRequest, route: Admission): Promise<Principal> {
    if (route.rule?.kind !== 'public') await this.#admit(request, route);
    return request.principal ?? anonymous;
  }

  #routeOf(context: ExecutionContext): Route {
    const handler = context.getHandler();
    const known = this.#routes.get(handler);
    if (known) return known;
    const target = context.getClass();
    const rule = this.reflector.getAllAndOverride<Rule>(accessRule, [handler, target]);
    const isOpenToAll = this.reflector.get<boolean | undefined>(withoutSecondFactor, handler) === true;
    const secondFactorRoles = isOpenToAll ? [] : this.config.SECOND_FACTOR_ROLES;
    const route = {
      rule,
      secondFactorRoles,
      needsFreshAuthentication: this.reflector.get<boolean | undefined>(freshAuthentication, handler) === true,
      name: `${target.name}.${handler.name}`,
      // what was begun by a fresh password may take longer than that stays fresh
      askAgain: (request: FastifyRequest) =>
        this.#askAgain(request, { rule, secondFactorRoles, needsFreshAuthentication: false }),
    };
    this.#routes.set(handler, route);
    return route;
  }
}

/** Nothing for credentials that are refused with the code. */
async function unlessRefused<T>(code: ErrorCode, find: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof AppError && error.code === code) return undefined;
    throw error;
  }
}

/**
 * Whom a token stands for, beside the key of a service if there is one. A service's own token is
 * all that it may do then: it was asked for with these scopes.
 * @throws AppError `invalid-token` when it is the token of another service
 */
function together(verified: TokenPrincipal, service: ServicePrincipal | undefined): TokenPrincipal {
  if (!service) return verified;
  if (isUser(verified)) return { ...verified, service };
  if (verified.name === service.name) return verified;
  throw new AppError('invalid-token', { detail: 'The access token and the service key are of different services.' });
}

function withName(known: string | undefined, name: string): string {
  // fast path: a route that is asked twice, and no field of GraphQL
  if (known === undefined || known === name) return name;
  return known.split(' ').includes(name) ? known : `${known} ${name}`;
}

/** Whom another field of the same GraphQL request has found is not who calls this one. */
function admitUnseen(request: FastifyRequest): boolean {
  request.principal = undefined;
  return true;
}

function admitAnonymous(request: FastifyRequest, rule: Rule): boolean {
  if (rule?.kind !== 'optional') throw new AppError('authentication-required');
  request.principal = anonymous;
  return true;
}

function admit(request: FastifyRequest, principal: Principal, route: Admission): boolean {
  request.principal = principal;
  assertSecondFactor(principal, route.secondFactorRoles);
  assertAdmitted(principal, route.rule);
  if (route.needsFreshAuthentication) assertFreshlyAuthenticated(principal);
  return true;
}
