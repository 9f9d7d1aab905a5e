import { defineEntity, p } from '@mikro-orm/sql';

/**
 * A request that may be sent again. `id` is a keyed hash of caller, route and key; `fingerprint` is
 * one of key and body. The answer is sealed under a key made from the client's. `attempt` is the
 * owner of the lease; `subject` is the user whom the answer is about.
 */
export const IdempotencyKeyEntity = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_keys',
  indexes: [
    { name: 'idempotency_keys_created_at_index', properties: ['createdAt'] },
    { name: 'idempotency_keys_subject_index', properties: ['subject'] },
  ],
  properties: {
    id: p.blob().primary(),
    fingerprint: p.blob(),
    attempt: p.uuid(),
    leasedUntil: p.datetime().columnType('timestamptz(3)'),
    answer: p.blob().nullable(),
    subject: p.uuid().nullable(),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
  },
});
