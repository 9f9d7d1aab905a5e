import { defineEntity, p } from '@mikro-orm/sql';

import type { Scope } from '#libs/platform/access';
import { uuidV7 } from '#libs/platform/crypto';

import type { PlanParts } from './rate-plan.schema.js';

/**
 * A calling microservice. Its secret has 256 random bits, so it is stored as a plain SHA-256. The
 * previous secret works until `previousUntil`, so that a rotation interrupts nobody.
 */
export const ServiceEntity = defineEntity({
  name: 'Service',
  tableName: 'services',
  uniques: [{ name: 'services_name_unique', properties: ['name'] }],
  checks: [{ name: 'services_status_check', expression: "status in ('active', 'deactivated')" }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => uuidV7()),
    name: p.text(),
    description: p.text().nullable(),
    scopes: p.array().$type<Scope[]>().columnType('text[]'),
    plan: p
      .json<PlanParts>()
      .defaultRaw(`'{}'`)
      .onCreate(() => ({})),
    status: p.text().$type<'active' | 'deactivated'>().default('active'),
    secretHash: p.text().hidden(),
    previousHash: p.text().nullable().hidden(),
    previousUntil: p.datetime().columnType('timestamptz(3)').nullable(),
    lastUsedAt: p.datetime().columnType('timestamptz(3)').nullable(),
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
