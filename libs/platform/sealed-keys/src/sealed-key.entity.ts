import { defineEntity, p } from '@mikro-orm/sql';

/** A random key of the service's own, sealed by the master key, known by what it is for. */
export const SealedKeyEntity = defineEntity({
  name: 'SealedKey',
  tableName: 'sealed_keys',
  properties: {
    name: p.text().primary(),
    sealed: p.blob(),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
  },
});
