import { z } from 'zod';

import { delimiters } from './csv-dialect.js';

export const importQuerySchema = z.strictObject({
  onExisting: z
    .enum(['skip', 'update'])
    .default('skip')
    .meta({ description: '`update` brings names and e-mail address up to date; administrators only' }),
  report: z
    .enum(['all', 'refused'])
    .default('all')
    .meta({ description: '`refused` answers a line for refused rows only, and the last line' }),
  delimiter: z
    .enum(delimiters)
    .optional()
    .meta({ description: 'CSV: what separates cells (`%3B`, `%09`); by its first line if absent' }),
});
export type ImportQuery = z.infer<typeof importQuerySchema>;
