import { defineEntity, p } from '@mikro-orm/sql';

import { UserEntity } from '#libs/users';

/**
 * A login with the right password that waits for the second factor. It is good for five minutes and
 * one login, with the password that was verified (`passwordHash`), for the service and the audience
 * that the login was for. `state` is for a factor that is asked something of its own, as a passkey
 * is.
 */
export const LoginChallengeEntity = defineEntity({
  name: 'LoginChallenge',
  tableName: 'login_challenges',
  indexes: [
    { name: 'login_challenges_user_id_index', properties: ['user'] },
    { name: 'login_challenges_created_at_index', properties: ['createdAt'] },
  ],
  properties: {
    tokenHash: p.blob().primary(),
    user: () => p.manyToOne(UserEntity).fieldNames('user_id').deleteRule('cascade'),
    passwordHash: p.text().hidden(),
    clientId: p.text(),
    audience: p.text().nullable(),
    state: p.blob().nullable(),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
  },
});
