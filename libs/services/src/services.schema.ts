import { z } from 'zod';

import { ownClientId, scopes } from '#libs/platform/access';
import { audienceSchema, isVisible, mustBeVisible, permissionListSchema, textSchema } from '#libs/platform/contract';

import { planPartsSchema, planPatchSchema, ratePlanSchema } from './rate-plan.schema.js';

export const serviceNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,62}$/, 'must be 2 to 63 lower-case letters, digits and hyphens, a letter first')
  .meta({ example: 'billing' });
const scopeList = z
  .array(z.enum(scopes))
  .max(scopes.length)
  .transform((names) => [...new Set(names)]);
const description = textSchema({ max: 200 }).refine(isVisible, mustBeVisible).nullable();
const status = z.enum(['active', 'deactivated']);
const audience = audienceSchema.nullable().meta({
  description: 'What tokens for this service name in `aud`, as it is written here; null: there are none for it',
});
const permissions = permissionListSchema.meta({
  description: 'What its API knows: tokens for it carry no others. Empty: it takes any',
});
const grants = z
  .array(z.strictObject({ audience: z.string().min(1).max(500), permissions: permissionListSchema }))
  .max(50)
  .meta({ description: 'What this service may do at other ones, by their audience' });

export const createServiceSchema = z
  .strictObject({
    name: serviceNameSchema.refine((name) => name !== ownClientId, 'is the name of this service itself'),
    description: description.optional(),
    scopes: scopeList,
    plan: planPartsSchema.optional(),
    audience: audience.optional(),
    permissions: permissions.optional(),
    grants: grants.optional(),
  })
  .meta({ id: 'CreateService' });
export type CreateService = z.infer<typeof createServiceSchema>;

export const patchServiceSchema = z
  .strictObject({
    description: description.optional(),
    scopes: scopeList.optional(),
    plan: planPatchSchema.optional(),
    audience: audience.optional(),
    permissions: permissions.optional(),
    grants: grants.optional(),
    status: status.optional(),
  })
  .meta({ id: 'PatchService' });
export type PatchService = z.infer<typeof patchServiceSchema>;

export const serviceSchema = z
  .strictObject({
    name: z.string(),
    description: z.string().nullable(),
    scopes: z.array(z.enum(scopes)),
    plan: ratePlanSchema,
    audience: z.string().nullable(),
    permissions: z.array(z.string()),
    grants: z.array(z.strictObject({ audience: z.string(), permissions: z.array(z.string()) })),
    status,
    lastUsedAt: z.iso.datetime().nullable().meta({ description: 'To the minute' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Service' });
export type ServiceView = z.infer<typeof serviceSchema>;

const secret = z.string().meta({ description: 'Shown once: send `X-Service-Key: <name>.<secret>`' });

export const createdServiceSchema = serviceSchema.extend({ secret }).meta({ id: 'CreatedService' });
export type CreatedService = z.infer<typeof createdServiceSchema>;

export const serviceListSchema = z.strictObject({ items: z.array(serviceSchema) }).meta({ id: 'ServiceList' });
export type ServiceList = z.infer<typeof serviceListSchema>;

export const rotateSecretSchema = z.strictObject({
  revoke: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: '`true` ends the old secret at once, for one that has leaked' }),
});
export type RotateSecret = z.infer<typeof rotateSecretSchema>;

export const newSecretSchema = z
  .strictObject({
    secret,
    previousUntil: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'Until then the old secret works too; null if it was revoked' }),
  })
  .meta({ id: 'NewSecret' });
export type NewSecret = z.infer<typeof newSecretSchema>;

const count = z.int().min(0);
const classUsageSchema = z
  .strictObject({
    limit: count,
    windowSeconds: count,
    window: z
      .strictObject({
        used: count.meta({
          description: 'What counts against `limit` now: the current window, and what still weighs of the one before',
        }),
        refused: count.meta({ description: 'Refused since the current window began' }),
        resetSeconds: count.meta({ description: 'Until the current window ends' }),
      })
      .meta({ description: 'Of all replicas if `countedIn` is `redis`, else of the one that answers' }),
    day: z.strictObject({ used: count, refused: count }).meta({
      description: 'Of all replicas, in the current hour (UTC) and the 23 before; other replicas add theirs every 5 s',
    }),
  })
  .meta({ id: 'RateClassUsage' });
export type ClassUsage = z.infer<typeof classUsageSchema>;

export const serviceUsageSchema = z
  .strictObject({
    name: z.string(),
    countedIn: z
      .enum(['memory', 'redis', 'fallback'])
      .meta({ description: '`fallback`: in memory, by a share of each limit, since Redis cannot be had' }),
    classes: z.strictObject({
      read: classUsageSchema,
      write: classUsageSchema,
      login: classUsageSchema,
      hash: classUsageSchema,
      upload: classUsageSchema,
    }),
  })
  .meta({ id: 'ServiceUsage' });
export type ServiceUsageView = z.infer<typeof serviceUsageSchema>;
