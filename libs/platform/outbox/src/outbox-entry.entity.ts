import { defineEntity, p } from '@mikro-orm/sql';

/**
 * Something that is to be told to somebody outside, written in the transaction of its cause. The
 * row goes when it has been handed over. `dueAt` is also the lease of the replica that is at it;
 * `failedAt` is when it was given up.
 */
export const OutboxEntryEntity = defineEntity({
  name: 'OutboxEntry',
  tableName: 'outbox',
  indexes: [
    { name: 'outbox_kind_due_at_index', properties: ['kind', 'dueAt'], where: 'failed_at is null' },
    { name: 'outbox_user_id_index', properties: ['userId'] },
  ],
  properties: {
    id: p.uuid().primary(),
    kind: p.text(),
    payload: p.blob(),
    userId: p.uuid().nullable(),
    attempts: p.integer().default(0),
    dueAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
    failedAt: p.datetime().columnType('timestamptz(3)').nullable(),
    lastError: p.text().nullable(),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
  },
});
