import type { RatePlan } from './rate-plan.js';

/**
 * The roles that Gatehouse's own routes may ask for. Every other role means something to other
 * services only.
 */
export type BuiltInRole = 'user' | 'admin';

/** What a service may be granted. */
export const scopes = [
  'users:read',
  'users:write',
  'tokens:introspect',
  'tokens:revoke',
  'revocations:read',
  'messages:write',
  'messages:read',
] as const;
export type Scope = (typeof scopes)[number];

/** A person, known by an access token. `expiresAt` in Unix seconds. */
export type UserPrincipal = {
  readonly kind: 'user';
  readonly userId: string;
  readonly roles: readonly string[];
  readonly tokenId: string;
  readonly sessionId: string;
  readonly expiresAt: number;
  /**
   * When the user last gave the password or a code, in Unix seconds; tokens from before the claim
   * do not say.
   */
  readonly authTime?: number | undefined;
  /** Whether a second factor was given in its session, by the `acr` of the token. */
  readonly hasSecondFactor: boolean;
  /** The service that brought the token, beside its own key. */
  readonly service?: ServicePrincipal;
};

/** A microservice, known by its key or by a token of its own. */
export type ServicePrincipal = {
  readonly kind: 'service';
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly plan: RatePlan;
  /** Whom tokens for this service name in `aud`; null when there are none for it. */
  readonly audience: string | null;
};

/** What tokens name as their client when no service asked for them; no service has this name. */
export const ownClientId = 'gatehouse';

/** Whom a bearer token can stand for. */
export type TokenPrincipal = UserPrincipal | ServicePrincipal;

type Anonymous = { readonly kind: 'anonymous' };

/** Who is calling. */
export type Principal = UserPrincipal | ServicePrincipal | Anonymous;

export const anonymous: Anonymous = { kind: 'anonymous' };

export const isUser = (principal: Principal): principal is UserPrincipal => principal.kind === 'user';

export const isAdmin = (principal: Principal): boolean => isUser(principal) && principal.roles.includes('admin');

/** For logs: `user:<id>`, `user:<id> via service:<name>`, `service:<name>` or `anonymous`. */
export function callerName(principal: Principal): string {
  if (principal.kind === 'user') {
    return `user:${principal.userId}${principal.service === undefined ? '' : ` via service:${principal.service.name}`}`;
  }
  return principal.kind === 'service' ? `service:${principal.name}` : principal.kind;
}

/** The same for a user whatever token or service brought the request. */
export const callerKey = (principal: Principal): string =>
  isUser(principal) ? `user:${principal.userId}` : callerName(principal);
