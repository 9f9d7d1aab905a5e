import { AppError } from '#libs/platform/errors';

import type { BuiltInRole, Principal, Scope } from './principal.js';

/** Who may call a route. Without a rule: any signed-in user, and no service of its own. */
export type AccessRule =
  | { readonly kind: 'public' }
  | { readonly kind: 'public-or-service' }
  | { readonly kind: 'optional'; readonly scopes?: readonly Scope[] | undefined }
  | { readonly kind: 'lenient' }
  | { readonly kind: 'guarded-within' }
  | { readonly kind: 'client'; readonly scope?: Scope | undefined }
  | {
      readonly kind: 'requires';
      readonly roles: readonly BuiltInRole[];
      readonly scopes: readonly Scope[];
      readonly services?: 'any' | undefined;
    };

/** @throws AppError `forbidden` when the rule is not for somebody whose credentials are good */
export function assertAdmitted(principal: Principal, rule: AccessRule | undefined): void {
  if (isAdmitted(principal, rule)) return;
  const scope = rule?.kind === 'client' ? rule.scope : undefined;
  throw new AppError('forbidden', scope === undefined ? {} : { detail: `The scope ${scope} is needed.` });
}

function isAdmitted(principal: Principal, rule: AccessRule | undefined): boolean {
  if (rule === undefined) return principal.kind === 'user';
  if (rule.kind === 'client') {
    return principal.kind === 'service' && (rule.scope === undefined || principal.scopes.includes(rule.scope));
  }
  if (rule.kind === 'optional') return principal.kind !== 'service' || hasOne(principal.scopes, rule.scopes);
  if (rule.kind !== 'requires') return true;
  // everybody with an account is a user, whatever roles say besides
  if (principal.kind === 'user') return rule.roles.some((role) => role === 'user' || principal.roles.includes(role));
  if (principal.kind !== 'service') return false;
  return rule.services === 'any' || hasOne(principal.scopes, rule.scopes);
}

const hasOne = (granted: readonly Scope[], asked: readonly Scope[] | undefined): boolean =>
  asked === undefined || asked.some((scope) => granted.includes(scope));

/**
 * A security requirement of OpenAPI 3.1: schemes that are needed together, each with a role or
 * scope if one is asked.
 */
type Requirement = Readonly<Record<string, string[]>>;

/** A service shows its key, or a token of its own. */
const byService = (...needed: readonly Scope[]): readonly Requirement[] => [
  { serviceKey: [...needed] },
  { serviceToken: [...needed] },
];

/** The same for the document: the ways in, of which one is enough. */
export function securityOf(rule: AccessRule | undefined): readonly Requirement[] {
  const user = { accessToken: [] };
  switch (rule?.kind) {
    case undefined:
      return [user];
    case 'public':
      return [];
    case 'public-or-service':
      return [{}, ...byService()];
    case 'lenient':
    case 'guarded-within':
      return [{}, user, ...byService()];
    case 'optional':
      return [{}, user, ...(rule.scopes?.flatMap((scope) => byService(scope)) ?? byService())];
    case 'client':
      return rule.scope === undefined
        ? [{ serviceKey: [] }, { serviceBasic: [] }]
        : [...byService(rule.scope), { serviceBasic: [rule.scope] }];
    case 'requires': {
      // everybody with an account is a user
      const users = rule.roles.includes('user') ? [user] : rule.roles.map((role) => ({ accessToken: [role] }));
      const services = rule.services === 'any' ? byService() : rule.scopes.flatMap((scope) => byService(scope));
      return [...users, ...services];
    }
  }
}
