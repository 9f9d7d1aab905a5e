import { z } from 'zod';

const parts = z.record(
  z.string(),
  z.strictObject({
    status: z.enum(['up', 'down']),
    checkedAgoMs: z.int().min(0).meta({ description: 'Milliseconds since this was found' }),
  }),
);

export const healthSchema = z
  .strictObject({
    status: z.enum(['ok', 'error', 'shutting_down', 'degraded']),
    info: parts.optional(),
    error: parts.optional(),
    details: parts.optional().meta({ description: 'For administrators and services only' }),
  })
  .meta({ id: 'Health' });
