import { z } from 'zod';

import { textSchema } from '#libs/platform/contract';
import { emailSchema } from '#libs/users';

import type { Proof } from './one-time-tokens.repository.js';
import { codeSchema, tokenSchema } from './proof.schema.js';

export const requestPasswordResetSchema = z.strictObject({ email: emailSchema }).meta({ id: 'RequestPasswordReset' });
export type RequestPasswordReset = z.infer<typeof requestPasswordResetSchema>;

type Given = {
  readonly token?: string | undefined;
  readonly email?: string | undefined;
  readonly code?: string | undefined;
};

/** What is missing, or too much. */
function faultOf({ token, email, code }: Given): { path: string[]; message: string; params?: { code: string } } {
  if (token !== undefined) return { path: ['token'], message: 'comes without `email` and `code`' };
  const params = { code: 'required' };
  if (email === undefined && code === undefined) {
    return { path: ['token'], message: 'is required, or `email` and `code`', params };
  }
  if (email === undefined) return { path: ['email'], message: 'is required with `code`', params };
  return { path: ['code'], message: 'is required with `email`', params };
}

/** By the link, or by the code with the address that it went to. */
export const confirmPasswordResetSchema = z
  .strictObject({
    token: tokenSchema.optional(),
    email: emailSchema.optional(),
    code: codeSchema.optional(),
    password: textSchema({ max: 1024 }).meta({ description: 'The new one', format: 'password' }),
  })
  .transform(({ token, email, code, password }, context): { readonly proof: Proof; readonly password: string } => {
    if (token !== undefined && email === undefined && code === undefined) return { proof: { token }, password };
    if (token === undefined && email !== undefined && code !== undefined) return { proof: { email, code }, password };
    context.addIssue({ code: 'custom', input: undefined, ...faultOf({ token, email, code }) });
    return z.NEVER;
  })
  .meta({ id: 'ConfirmPasswordReset', description: '`token`, or `email` and `code`' });
export type ConfirmPasswordReset = z.infer<typeof confirmPasswordResetSchema>;

/** The kind of the entry in the outbox that asks for a mail. */
export const resetRequestKind = 'password-reset';
/** What the entry holds: it is the same for everybody. */
export const resetRequestSchema = z.object({ email: z.string(), acceptLanguage: z.string().optional() });
export type ResetRequest = z.infer<typeof resetRequestSchema>;
