import { defineEntity, p } from '@mikro-orm/sql';

import { UserEntity } from '#libs/users';

/** A code for the day on which the second factor is lost, under a keyed hash; a used one goes. */
export const RecoveryCodeEntity = defineEntity({
  name: 'RecoveryCode',
  tableName: 'recovery_codes',
  indexes: [{ name: 'recovery_codes_user_id_index', properties: ['user'] }],
  properties: {
    codeHash: p.blob().primary(),
    user: () => p.manyToOne(UserEntity).fieldNames('user_id').deleteRule('cascade'),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
  },
});
