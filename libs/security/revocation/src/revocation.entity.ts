import { defineEntity, p } from '@mikro-orm/sql';

import { type RevocationKind, revocationCauses } from './revocation.js';

/**
 * The truth about ended trust. `xid` is the writing transaction: ids are not in the order of
 * commits, so replicas catch up by transactions that they may not have seen.
 */
export const RevocationEntity = defineEntity({
  name: 'Revocation',
  tableName: 'revocations',
  indexes: [
    { name: 'revocations_subject_index', properties: ['subject'] },
    { name: 'revocations_expires_at_index', properties: ['expiresAt'] },
    { name: 'revocations_xid_index', properties: ['xid'] },
  ],
  checks: [{ name: 'revocations_kind_check', expression: "kind in ('token', 'session', 'user', 'key')" }],
  properties: {
    id: p.bigint('string').primary().autoincrement(),
    kind: p.text().$type<RevocationKind>(),
    subject: p.uuid(),
    generation: p.integer().nullable(),
    cause: p.text().$type<(typeof revocationCauses)[number]>(),
    expiresAt: p.datetime().columnType('timestamptz(0)'),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
    xid: p.string().columnType('xid8').defaultRaw('pg_current_xact_id()'),
  },
});
