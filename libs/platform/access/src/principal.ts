export type Role = 'user' | 'admin';
export type Scope =
  | 'users:read'
  | 'users:write'
  | 'tokens:introspect'
  | 'tokens:revoke'
  | 'revocations:read'
  | 'messages:write'
  | 'messages:read';

/** A person, known by an access token. `expiresAt` in Unix seconds. */
export type UserPrincipal = {
  readonly kind: 'user';
  readonly userId: string;
  readonly roles: readonly Role[];
  readonly tokenId: string;
  readonly sessionId: string;
  readonly expiresAt: number;
};

/** A microservice, known by its key. */
type ServicePrincipal = { readonly kind: 'service'; readonly name: string; readonly scopes: readonly Scope[] };

type Anonymous = { readonly kind: 'anonymous' };

/** Who is calling. */
export type Principal = UserPrincipal | ServicePrincipal | Anonymous;

export const anonymous: Anonymous = { kind: 'anonymous' };

export const isUser = (principal: Principal): principal is UserPrincipal => principal.kind === 'user';

export const isAdmin = (principal: Principal): boolean => isUser(principal) && principal.roles.includes('admin');

/** For logs: `user:<id>`, `service:<name>` or `anonymous`. */
export function callerName(principal: Principal): string {
  if (principal.kind === 'user') return `user:${principal.userId}`;
  return principal.kind === 'service' ? `service:${principal.name}` : principal.kind;
}
