import { defineEntity, p } from '@mikro-orm/sql';

/**
 * Failed logins of an account from one device, or from all devices that have never succeeded.
 * `subject` is the id of the user, or made from the name when there is no such user: both are
 * treated alike.
 */
export const LoginDelayEntity = defineEntity({
  name: 'LoginDelay',
  tableName: 'login_delays',
  indexes: [{ name: 'login_delays_last_failed_at_index', properties: ['lastFailedAt'] }],
  properties: {
    id: p.bigint('string').primary().autoincrement(),
    subject: p.uuid(),
    device: p.uuid(),
    failures: p.integer(),
    delayedUntil: p.datetime().columnType('timestamptz(3)'),
    lastFailedAt: p.datetime().columnType('timestamptz(3)'),
  },
  uniques: [{ name: 'login_delays_subject_device_unique', properties: ['subject', 'device'] }],
});
