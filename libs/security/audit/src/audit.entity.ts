import { defineEntity, p } from '@mikro-orm/sql';

import { uuidV7 } from '#libs/platform/crypto';

/** One security event. Rows are only ever added and, after `AUDIT_RETENTION_DAYS`, removed. */
export const AuditEntity = defineEntity({
  name: 'AuditEvent',
  tableName: 'audit_events',
  indexes: [
    { name: 'audit_events_at_id_index', properties: ['at', 'id'] },
    { name: 'audit_events_user_id_at_index', properties: ['userId', 'at'] },
    {
      name: 'audit_events_caller_index',
      expression: `create index audit_events_caller_index on audit_events (split_part(caller, ' ', 1))`,
    },
  ],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => uuidV7()),
    at: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
    event: p.text(),
    userId: p.uuid().nullable(),
    caller: p.text(),
    ip: p.text().nullable(),
    userAgent: p.text().nullable(),
    requestId: p.text().nullable(),
    details: p.json<Record<string, unknown>>().nullable(),
  },
});
