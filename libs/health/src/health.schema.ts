import { z } from 'zod';

const part = z.object({ status: z.enum(['up', 'down']) });

export const healthSchema = z
  .strictObject({
    status: z.enum(['ok', 'error', 'shutting_down', 'degraded']),
    info: z.record(z.string(), part).optional(),
    error: z.record(z.string(), part).optional(),
    details: z.record(z.string(), part),
  })
  .meta({ id: 'Health' });
