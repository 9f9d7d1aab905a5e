import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

import { uuidV7 } from '#libs/platform/crypto';

const isDeactivated = "status = 'deactivated'";
const isAdministrator = "roles @> array['admin']::text[]";
/** As PostgreSQL gives it back, so that the two can be compared. */
const searched =
  "search_fold(((((((user_name || chr(10)) || first_name) || ' '::text) || last_name) || chr(10)) || COALESCE(email, ''::text)))";

/**
 * An account. `userNameKey` and `emailKey` are what makes names and addresses unique without regard to case.
 * `tokenGeneration` is in every access token and `sessionGeneration` in every session: raising one ends all of them
 * that came before, exactly, where a time of issue in whole seconds could not.
 * `version` is the ETag. `searchText` is what `q` of the list looks in; the database makes it. `externalId` is the user's
 * id in the system that it was imported from.
 */
export const UserEntity = defineEntity({
  name: 'User',
  tableName: 'users',
  indexes: [
    { name: 'users_created_at_id_index', properties: ['createdAt', 'id'] },
    {
      name: 'users_search_text_trigram',
      expression: 'create index users_search_text_trigram on users using gin (search_text gin_trgm_ops)',
    },
    { name: 'users_deactivated_created_at_index', properties: ['createdAt', 'id'], where: isDeactivated },
    { name: 'users_deactivated_user_name_index', properties: ['userNameKey'], where: isDeactivated },
    { name: 'users_admin_created_at_index', properties: ['createdAt', 'id'], where: isAdministrator },
    { name: 'users_admin_user_name_index', properties: ['userNameKey'], where: isAdministrator },
    { name: 'users_avatar_hash_index', properties: ['avatarHash'], where: 'avatar_hash is not null' },
  ],
  uniques: [
    { name: 'users_user_name_key_unique', properties: ['userNameKey'] },
    { name: 'users_email_key_unique', properties: ['emailKey'] },
    { name: 'users_external_id_unique', properties: ['externalId'] },
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
    userNameKey: p.text().collation('C'),
    firstName: p.text(),
    lastName: p.text(),
    email: p.text().nullable(),
    emailKey: p.text().nullable(),
    roles: p.array().$type<('user' | 'admin')[]>().columnType('text[]'),
    status: p.text().$type<'active' | 'deactivated'>().default('active'),
    searchText: p.text().generated(`(${searched}) stored`).nullable().lazy().hidden(),
    passwordHash: p.text().hidden(),
    /** Names the pictures in `avatars`, which a trigger removes with the last user that has them. */
    avatarHash: p.blob().nullable(),
    tokenGeneration: p.integer().default(0),
    sessionGeneration: p.integer().default(0),
    externalId: p.text().nullable(),
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
