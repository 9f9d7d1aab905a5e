import { z } from 'zod';

import { textSchema } from '#libs/platform/contract';
import { emailSchema } from '#libs/users';

import { proofFields, toProof } from './proof.schema.js';

export const requestPasswordResetSchema = z.strictObject({ email: emailSchema }).meta({ id: 'RequestPasswordReset' });
export type RequestPasswordReset = z.infer<typeof requestPasswordResetSchema>;

/** By the link, or by the code with the address that it went to. */
export const confirmPasswordResetSchema = z
  .strictObject({
    ...proofFields,
    password: textSchema({ max: 1024 }).meta({ description: 'The new one', format: 'password' }),
  })
  .transform(({ password, ...given }, context) => ({ proof: toProof(given, context), password }))
  .meta({ id: 'ConfirmPasswordReset', description: '`token`, or `email` and `code`' });
export type ConfirmPasswordReset = z.infer<typeof confirmPasswordResetSchema>;

/** The kind of the entry in the outbox that asks for a mail. */
export const resetRequestKind = 'password-reset';
/** What the entry holds: it is the same for everybody. */
export const resetRequestSchema = z.object({ email: z.string(), acceptLanguage: z.string().optional() });
export type ResetRequest = z.infer<typeof resetRequestSchema>;
