export { type AccessRule, Caller, OptionalAuth, Public, Requires } from './access.decorators.js';
export { AccessGuard } from './access.guard.js';
export { parseServiceKey } from './credentials.js';
export { From, type Origin } from './origin.js';
export {
  callerName,
  isAdmin,
  isUser,
  type Principal,
  type Role,
  type Scope,
  scopes,
  type ServicePrincipal,
  type UserPrincipal,
} from './principal.js';
export { ServiceVerifier } from './service-verifier.js';
export { TokenVerifier } from './token-verifier.js';
