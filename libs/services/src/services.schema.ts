import { z } from 'zod';

import { scopes } from '#libs/platform/access';
import { text } from '#libs/platform/http';

export const serviceNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,62}$/, 'must be 2 to 63 lower-case letters, digits and hyphens, a letter first')
  .meta({ example: 'billing' });
const scopeList = z
  .array(z.enum(scopes))
  .max(scopes.length)
  .transform((names) => [...new Set(names)]);
const description = text({ max: 200 }).nullable();
const status = z.enum(['active', 'deactivated']);

export const createServiceSchema = z
  .strictObject({ name: serviceNameSchema, description: description.optional(), scopes: scopeList })
  .meta({ id: 'CreateService' });
export type CreateService = z.infer<typeof createServiceSchema>;

export const patchServiceSchema = z
  .strictObject({ description: description.optional(), scopes: scopeList.optional(), status: status.optional() })
  .meta({ id: 'PatchService' });
export type PatchService = z.infer<typeof patchServiceSchema>;

export const serviceSchema = z
  .strictObject({
    name: z.string(),
    description: z.string().nullable(),
    scopes: z.array(z.enum(scopes)),
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

export const newSecretSchema = z
  .strictObject({
    secret,
    previousUntil: z.iso.datetime().meta({ description: 'Until then the old secret works too' }),
  })
  .meta({ id: 'NewSecret' });
export type NewSecret = z.infer<typeof newSecretSchema>;
