import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

import { uuidV7 } from '#libs/platform/crypto';

/**
 * An account. `userNameKey` and `emailKey` are what makes names and addresses unique without regard to case.
 * `tokenGeneration` is in every access token and `sessionGeneration` in every session: raising one ends all of them
 * that came before, exactly, where a time of issue in whole seconds could not.
 * `version` is the ETag.
 */
export const UserEntity = defineEntity({
  name: 'User',
  tableName: 'users',
  indexes: [{ name: 'users_created_at_id_index', properties: ['createdAt', 'id'] }],
  uniques: [
    { name: 'users_user_name_key_unique', properties: ['userNameKey'] },
    { name: 'users_email_key_unique', properties: ['emailKey'] },
  ],
  checks: [
    { name: 'users_status_check', expression: "status in ('active', 'deactivated')" },
    { name: 'users_roles_check', expression: "roles <@ array['user', 'admin']::text[]" },
  ],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => uuidV7()),
    userName: p.text(),
    userNameKey: p.text(),
    firstName: p.text(),
    lastName: p.text(),
    email: p.text().nullable(),
    emailKey: p.text().nullable(),
    roles: p.array().$type<('user' | 'admin')[]>().columnType('text[]'),
    status: p.text().$type<'active' | 'deactivated'>().default('active'),
    passwordHash: p.text().hidden(),
    tokenGeneration: p.integer().default(0),
    sessionGeneration: p.integer().default(0),
    version: p.integer().version(),
    createdAt: p
      .datetime()
      .columnType('timestamptz(3)')
      .onCreate(() => new Date()),
    updatedAt: p
      .datetime()
      .columnType('timestamptz(3)')
      .onCreate(() => new Date())
      .onUpdate(() => new Date()),
  },
});

export type User = InferEntity<typeof UserEntity>;
