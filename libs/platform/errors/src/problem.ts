import { z } from 'zod';

import type { AppError } from './app-error.js';
import { errorCodes } from './error-codes.js';

/** RFC 9457 problem document with our stable `code`; `errors` only where fields were refused. */
export const problemSchema = z
  .strictObject({
    type: z.string().meta({ description: '`urn:gatehouse:error:<code>`' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().meta({ description: 'The path of the request' }),
    code: z.string().meta({ description: 'Stable; listed in docs/errors.md', example: 'invalid-request' }),
    requestId: z.string().meta({ description: 'Find the request in the log by this' }),
    errors: z
      .array(
        z.strictObject({
          path: z.string().meta({ description: 'The refused field, in dots', example: 'email' }),
          message: z.string(),
          code: z.string(),
        }),
      )
      .optional(),
    'violated-policies': z
      .array(z.string())
      .optional()
      .meta({ description: 'The rate limits that were used up (draft-ietf-httpapi-ratelimit-headers)' }),
    challenge: z
      .string()
      .optional()
      .meta({ description: 'With `second-factor-required` of a login: finishes it, once, within five minutes' }),
    factors: z
      .array(z.string())
      .optional()
      .meta({ description: 'What the login may be finished with', example: ['totp', 'recovery-code'] }),
  })
  .meta({ id: 'Problem' });

export type Problem = z.infer<typeof problemSchema>;

/** @param path without its query, which may hold personal data. */
export function toProblem(error: AppError, { path, requestId }: { path: string; requestId: string }): Problem {
  const { title } = errorCodes[error.code];
  const { errors, violatedPolicies, extensions: { challenge, factors } = {} } = error.options;
  return {
    type: `urn:gatehouse:error:${error.code}`,
    title,
    status: error.status,
    detail: error.message,
    instance: path,
    code: error.code,
    requestId,
    ...(errors && { errors: [...errors] }),
    ...(violatedPolicies && { 'violated-policies': [...violatedPolicies] }),
    ...(challenge !== undefined && { challenge }),
    ...(factors && { factors: [...factors] }),
  };
}
