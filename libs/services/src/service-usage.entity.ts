import { defineEntity, p } from '@mikro-orm/sql';

import { ServiceEntity } from './service.entity.js';

/** What a service asked for in an hour, by class. */
export const ServiceUsageEntity = defineEntity({
  name: 'ServiceUsage',
  tableName: 'service_usage',
  indexes: [{ name: 'service_usage_hour_index', properties: ['hour'] }],
  uniques: [{ name: 'service_usage_service_id_rate_class_hour_unique', properties: ['service', 'rateClass', 'hour'] }],
  properties: {
    id: p.bigint().primary().autoincrement(),
    service: () => p.manyToOne(ServiceEntity).joinColumn('service_id').deleteRule('cascade').index(false),
    rateClass: p.text(),
    hour: p.datetime().columnType('timestamptz(0)'),
    used: p.bigint(),
    refused: p.bigint(),
  },
});
