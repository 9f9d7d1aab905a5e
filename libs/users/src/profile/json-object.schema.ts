import { z } from 'zod';

import { faultOfJson, isJsonObject, type JsonObject } from './json-object.js';

/**
 * A JSON object of a body. Unlike `z.record`, which drops it in silence, this refuses the name
 * `__proto__`.
 */
export const jsonObjectSchema = (description: string) =>
  z
    .unknown()
    .meta({ type: 'object', additionalProperties: true, description })
    .transform((value, context): JsonObject => {
      if (!isJsonObject(value)) {
        context.addIssue({ code: 'custom', message: 'must be a JSON object', params: { code: 'invalid-type' } });
        return z.NEVER;
      }
      const fault = faultOfJson(value);
      if (!fault) return value;
      const { path, message, code } = fault;
      context.addIssue({ code: 'custom', message, path: [...path], params: { code } });
      return z.NEVER;
    });
