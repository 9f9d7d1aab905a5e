export { type AccessRule, securityOf } from './access-rule.js';
export {
  Caller,
  FreshAuthentication,
  GuardedWithin,
  LenientAuth,
  OAuthClient,
  OptionalAuth,
  Public,
  PublicOrService,
  Requires,
  Unlimited,
  WithoutSecondFactor,
} from './access.decorators.js';
export { AccessGuard } from './access.guard.js';
export { type CallerNow, callerNow, languageOf, Source, type RequestSource, sourceOf } from './request-source.js';
export { addressKeys, addressWidths } from './address-key.js';
export { clientAddressFinder, isListed, parseAddress } from './client-address.js';
export { bearerToken, parseServiceKey, type ServiceKey } from './credentials.js';
export { assertFreshlyAuthenticated } from './fresh-authentication.js';
export {
  anonymous,
  type BuiltInRole,
  callerKey,
  callerName,
  isAdmin,
  isUser,
  ownClientId,
  type Principal,
  type Scope,
  scopes,
  type ServicePrincipal,
  type TokenPrincipal,
  type UserPrincipal,
} from './principal.js';
export { isAdmitted, isGraphql, replyOf, type RequestContext, requestOf } from './request-of.js';
export { type Grant, type KnownService, ServiceDirectory } from './service-directory.js';
export { ServiceVerifier, TokenVerifier, RefusalLimiter } from './verifiers.js';
export { rateClasses, type RateClassName, type RateLimit, type RatePlan } from './rate-plan.js';
