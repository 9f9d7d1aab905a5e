import { z } from 'zod';

/** A scope-token (RFC 6749 §3.3). */
const permissionSchema = z
  .string()
  .max(128)
  .regex(/^[!#-[\]-~]+$/, 'must be visible ASCII without blanks, quotation marks and backslashes')
  .meta({ example: 'orders:read' });

/** At most 200; answered sorted and each once. */
export const permissionListSchema = z
  .array(permissionSchema)
  .max(200)
  .transform((names) => [...new Set(names)].toSorted());
