import { defineEntity, p } from '@mikro-orm/sql';

/** An address whose server has refused mail for good; nothing more is sent to it for a while. */
export const UndeliverableAddressEntity = defineEntity({
  name: 'UndeliverableAddress',
  tableName: 'undeliverable_addresses',
  indexes: [{ name: 'undeliverable_addresses_created_at_index', properties: ['createdAt'] }],
  properties: {
    emailKey: p.text().primary(),
    reason: p.text(),
    createdAt: p.datetime().columnType('timestamptz(3)').defaultRaw('now()'),
  },
});
