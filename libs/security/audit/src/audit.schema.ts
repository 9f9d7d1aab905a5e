import { z } from 'zod';

import { instantSchema, pageCursorSchema, pageLimitSchema, textSchema } from '#libs/platform/contract';

import { auditEvents } from './audit-event.js';

export const auditEventSchema = z
  .strictObject({
    id: z.uuid(),
    at: z.iso.datetime(),
    event: z.enum(auditEvents),
    userId: z.uuid().nullable().meta({
      description: 'Whom it is about; of `user-deleted` what stands for the id, which the filter finds by the id',
    }),
    subject: z.string().nullable().meta({
      description:
        '`sub` of the tokens of the user whom it is about: the id, unless another one was imported. Null of a user who was erased',
    }),
    caller: z.string().meta({
      description: '`user:<id>`, `user:<id> via service:<name>`, `service:<name>`, `anonymous` or `operator`',
    }),
    callerSubject: z.string().nullable().meta({
      description: 'The same of the user who called; null of other callers',
    }),
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
    requestId: z.string().nullable(),
    details: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'AuditEvent' });
export type AuditEventView = z.infer<typeof auditEventSchema>;

export const auditPageSchema = z
  .strictObject({ items: z.array(auditEventSchema), nextCursor: z.string().nullable() })
  .meta({ id: 'AuditPage' });
export type AuditPage = z.infer<typeof auditPageSchema>;

export const listAuditSchema = z.strictObject({
  event: z.enum(auditEvents).optional(),
  userId: z.uuid().optional(),
  subject: textSchema({ min: 1, max: 255 })
    .optional()
    .meta({ description: 'About the user whose tokens have this `sub`' }),
  after: instantSchema.optional().meta({ description: 'Only later ones' }),
  before: instantSchema.optional().meta({ description: 'Only earlier ones' }),
  limit: pageLimitSchema,
  cursor: pageCursorSchema,
});
export type ListAudit = z.infer<typeof listAuditSchema>;
