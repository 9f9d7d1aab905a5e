import { defineEntity, p } from '@mikro-orm/sql';

/** A setting that all replicas of one database must share, as the first of them had it. */
export const SettingEntity = defineEntity({
  name: 'Setting',
  tableName: 'settings',
  properties: {
    name: p.text().primary(),
    value: p.text(),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
  },
});
