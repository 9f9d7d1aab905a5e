import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';

import type { AccessRule } from './access-rule.js';
import { anonymous, type BuiltInRole, type Principal, type Scope } from './principal.js';
import { requestOf } from './request-of.js';

export const accessRule = 'gatehouse:access-rule';
export const freshAuthentication = 'gatehouse:fresh-authentication';
export const withoutSecondFactor = 'gatehouse:without-second-factor';

/** Says it to the guard and to the OpenAPI document. */
const rule = (value: AccessRule): MethodDecorator =>
  applyDecorators(SetMetadata(accessRule, value), ApiExtension('x-access', value));

/** Anyone; credentials are not even looked at. */
export const Public = (): MethodDecorator => rule({ kind: 'public' });

/**
 * Anyone. A service's key or token that is given must be good, and the request counts on its plan;
 * a user's token is not looked at, since whoever logs in may still send the one that has expired.
 */
export const PublicOrService = (): MethodDecorator => rule({ kind: 'public-or-service' });

/**
 * Anyone; but credentials that are given must be good, and a service that shows its key needs one
 * of the scopes if any are named.
 */
export const OptionalAuth = (needed: { scopes?: readonly Scope[] } = {}): MethodDecorator =>
  rule({ kind: 'optional', scopes: needed.scopes });

/**
 * Anyone: an access token that is no longer good counts as none. A service's key that is given must
 * be good.
 */
export const LenientAuth = (): MethodDecorator => rule({ kind: 'lenient' });

/**
 * Anyone: what is behind has guards of its own. Who calls is found for the rate limits; bad
 * credentials count as none.
 */
export const GuardedWithin = (): MethodDecorator => rule({ kind: 'guarded-within' });

/**
 * A service with the scope, by any way in which an OAuth client may prove who it is, or by a token
 * of its own. Without a scope: any service, and by no token, since tokens must not give tokens.
 */
export const OAuthClient = (scope?: Scope): MethodDecorator => rule({ kind: 'client', scope });

/** Users with one of the roles, or services with one of the scopes, or any service. */
export const Requires = (needed: {
  roles?: readonly BuiltInRole[];
  scopes?: readonly Scope[];
  services?: 'any';
}): MethodDecorator =>
  rule({ kind: 'requires', roles: needed.roles ?? [], scopes: needed.scopes ?? [], services: needed.services });

/**
 * Only people who gave their password within the last ten minutes, beside what the access rule
 * says; and services.
 */
export const FreshAuthentication = (): MethodDecorator =>
  applyDecorators(SetMetadata(freshAuthentication, true), ApiExtension('x-fresh-authentication', true));

/**
 * Open also to those who hold one of `SECOND_FACTOR_ROLES` and have given no second factor: what
 * they need to set one up, to give it, or to leave. Routes that look at no access token need it
 * not.
 */
export const WithoutSecondFactor = (): MethodDecorator =>
  applyDecorators(SetMetadata(withoutSecondFactor, true), ApiExtension('x-without-second-factor', true));

/** Not counted by the rate limits. Say why where it stands. */
export const Unlimited = (): MethodDecorator => applyDecorators(SkipThrottle(), ApiExtension('x-unlimited', true));

/** The `Principal` of the request, as the guard found it. */
export const Caller = createParamDecorator(
  (_: undefined, context: ExecutionContext): Principal => requestOf(context).principal ?? anonymous,
);
