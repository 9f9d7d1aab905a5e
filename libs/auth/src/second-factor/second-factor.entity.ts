import { defineEntity, p } from '@mikro-orm/sql';

import { UserEntity } from '#libs/users';

/**
 * Something that a user has beside the password. `kind` is `totp` today; a passkey is another kind
 * in the same columns. `secret` is sealed: what the kind checks with. `counter` goes up with each
 * use, so that nothing is accepted twice: of TOTP the last time step, of a passkey its signature
 * counter. It is not in use before `confirmedAt`.
 */
export const SecondFactorEntity = defineEntity({
  name: 'SecondFactor',
  tableName: 'second_factors',
  indexes: [
    { name: 'second_factors_user_id_index', properties: ['user'] },
    {
      name: 'second_factors_totp_unique',
      expression: "create unique index second_factors_totp_unique on second_factors (user_id) where kind = 'totp'",
    },
  ],
  uniques: [{ name: 'second_factors_credential_id_unique', properties: ['credentialId'] }],
  properties: {
    id: p.uuid().primary(),
    user: () => p.manyToOne(UserEntity).fieldNames('user_id').deleteRule('cascade'),
    kind: p.text(),
    secret: p.blob(),
    counter: p.bigint('number'),
    credentialId: p.blob().nullable(),
    name: p.text().nullable(),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
    confirmedAt: p.datetime().columnType('timestamptz(3)').nullable(),
    lastUsedAt: p.datetime().columnType('timestamptz(3)').nullable(),
  },
});
