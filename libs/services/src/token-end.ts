import { audienceKey } from '#libs/platform/contract';
import type { Revocation } from '#libs/security/revocation';

import type { Service } from './services.repository.js';

/** What the tokens of a service stand on. */
export type TokenGround = Pick<Service, 'status' | 'scopes' | 'grants'>;

/** Lists are replaced by a change, never changed in place. */
export const tokenGroundOf = ({ status, scopes, grants }: Service): TokenGround => ({ status, scopes, grants });

/**
 * Why a change ends the tokens that were issued before; nothing when they may live on, since the
 * service may do all that it could do. Pure.
 */
export function endOfTokens(before: TokenGround, after: TokenGround): Revocation['cause'] | undefined {
  if (before.status === 'active' && after.status === 'deactivated') return 'service-deactivated';
  const left = permissionsOf(after);
  return [...permissionsOf(before)].every((permission) => left.has(permission)) ? undefined : 'service-changed';
}

/** Each scope, and each permission at each audience however it is spelt. */
const permissionsOf = ({ scopes, grants }: TokenGround): ReadonlySet<string> =>
  new Set([
    ...scopes,
    ...grants.flatMap(({ audience, permissions }) => permissions.map((name) => `${name} ${audienceKey(audience)}`)),
  ]);
