import { defineEntity, p } from '@mikro-orm/sql';

/**
 * An account that somebody may make who is not a user yet, with the roles that an administrator
 * chose. The token of its link is stored as SHA-256. It goes when it is accepted, withdrawn or
 * expired.
 */
export const InvitationEntity = defineEntity({
  name: 'Invitation',
  tableName: 'invitations',
  indexes: [
    { name: 'invitations_created_at_id_index', properties: ['createdAt', 'id'] },
    { name: 'invitations_email_key_index', properties: ['emailKey'] },
    { name: 'invitations_expires_at_index', properties: ['expiresAt'] },
  ],
  uniques: [{ name: 'invitations_token_hash_unique', properties: ['tokenHash'] }],
  properties: {
    id: p.uuid().primary(),
    email: p.text(),
    emailKey: p.text(),
    roles: p.array().columnType('text[]'),
    firstName: p.text().nullable(),
    lastName: p.text().nullable(),
    tokenHash: p.blob(),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
    expiresAt: p.datetime().columnType('timestamptz(3)'),
  },
});
