import { defineEntity, p } from '@mikro-orm/sql';

import { ownClientId } from '#libs/platform/access';
import { UserEntity } from '#libs/users';

/**
 * A sign-in on one device, and the family of refresh tokens that keeps it going. Tokens are stored
 * as SHA-256. When the `sessionGeneration` of the user is higher than `generation`, the session is
 * over. `rotation` counts the tokens of the family; `previousRotatedAt` is the time of the last
 * rotation but one. `clientId` is the service that signed the user in; it never changes.
 * `authenticatedAt` is when the user last gave the password in this session; sessions from before
 * the column have null, which means `createdAt`. `amr` is how the user was authenticated (RFC
 * 8176).
 */
export const SessionEntity = defineEntity({
  name: 'Session',
  tableName: 'sessions',
  indexes: [
    { name: 'sessions_user_id_index', properties: ['user'] },
    { name: 'sessions_last_used_at_index', properties: ['lastUsedAt'] },
  ],
  properties: {
    id: p.uuid().primary(),
    user: () => p.manyToOne(UserEntity).fieldNames('user_id').deleteRule('cascade'),
    generation: p.integer(),
    rotation: p.integer().default(0),
    currentHash: p.blob(),
    previousHash: p.blob().nullable(),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
    previousRotatedAt: p.datetime().columnType('timestamptz(3)').nullable(),
    authenticatedAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()').nullable(),
    lastUsedAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
    userAgent: p.text().nullable(),
    ip: p.text().nullable(),
    clientId: p.text().default(ownClientId),
    amr: p.array().columnType('text[]').defaultRaw(`'{pwd}'`),
  },
});
