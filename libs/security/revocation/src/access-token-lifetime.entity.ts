import { defineEntity, p } from '@mikro-orm/sql';

/**
 * A lifetime with which a replica issues access tokens, or did until `lastUsedAt`. Replicas may
 * differ while an operator changes it: a revocation has to outlive the longest.
 */
export const AccessTokenLifetimeEntity = defineEntity({
  name: 'AccessTokenLifetime',
  tableName: 'access_token_lifetimes',
  properties: {
    seconds: p.integer().primary().autoincrement(false),
    lastUsedAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
  },
});
