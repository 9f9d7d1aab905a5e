import { defineEntity, p } from '@mikro-orm/sql';
import { type RevocationKind, revocationKinds } from '#verifier/revocations';

import { revocationCauses } from './revocation.js';

const kinds = revocationKinds.map((kind) => `'${kind}'`).join(', ');

/**
 * The truth about ended trust. `xid` is the writing transaction: ids are not in the order of
 * commits, so replicas catch up by transactions that they may not have seen. `subject` is made of
 * `name` where the subject is known by name; of a user, `name` is the `sub` of its tokens where
 * that is not the id.
 */
export const RevocationEntity = defineEntity({
  name: 'Revocation',
  tableName: 'revocations',
  indexes: [
    { name: 'revocations_subject_index', properties: ['subject'] },
    { name: 'revocations_expires_at_index', properties: ['expiresAt'] },
    { name: 'revocations_xid_index', properties: ['xid'] },
  ],
  checks: [{ name: 'revocations_kind_check', expression: `kind in (${kinds})` }],
  properties: {
    id: p.bigint('string').primary().autoincrement(),
    kind: p.text().$type<RevocationKind>(),
    subject: p.uuid(),
    name: p.text().nullable(),
    generation: p.integer().nullable(),
    cause: p.text().$type<(typeof revocationCauses)[number]>(),
    expiresAt: p.datetime().columnType('timestamptz(0)'),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
    xid: p.string().columnType('xid8').defaultRaw('pg_current_xact_id()'),
  },
});
