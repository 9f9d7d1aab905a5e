import { defineEntity, p } from '@mikro-orm/sql';

import type { Grant, Scope } from '#libs/platform/access';
import { uuidV7 } from '#libs/platform/crypto';

import type { PlanParts } from './rate-plan.schema.js';

/**
 * A calling microservice. `audience` is the URI that tokens for it name, as it was registered;
 * `audienceKey` is its normal form, which makes it unique. Its secret has 256 random bits, so it is
 * stored as a plain SHA-256. The previous secret works until `previousUntil`, so that a rotation
 * interrupts nobody.
 */
export const ServiceEntity = defineEntity({
  name: 'Service',
  tableName: 'services',
  uniques: [
    { name: 'services_name_unique', properties: ['name'] },
    { name: 'services_audience_key_unique', properties: ['audienceKey'] },
  ],
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
    audience: p.text().nullable(),
    audienceKey: p.text().nullable(),
    permissions: p.array().columnType('text[]').default([]),
    grants: p
      .json<readonly Grant[]>()
      .defaultRaw(`'[]'`)
      .onCreate(() => []),
    tokenGeneration: p.integer().default(0),
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
