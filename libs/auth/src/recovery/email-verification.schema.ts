import { z } from 'zod';

import { emailSchema } from '#libs/users';

import { codeSchema, tokenSchema } from './proof.schema.js';

export const requestVerificationSchema = z
  .strictObject({
    email: emailSchema
      .optional()
      .meta({ description: 'Without it your own: the one that waits, else the one that is not confirmed' }),
  })
  .meta({ id: 'RequestEmailVerification' });
export type RequestVerification = z.infer<typeof requestVerificationSchema>;

/** One object, so that whoever leaves something out reads what. */
export const confirmEmailSchema = z
  .strictObject({
    token: tokenSchema.optional(),
    email: emailSchema.optional().meta({ description: 'The address that the code was sent to' }),
    code: codeSchema.optional(),
  })
  .superRefine(({ token, email, code }, context) => {
    const missing = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message, params: { code: 'required' } });
    const isCode = email !== undefined || code !== undefined;
    if (token !== undefined && isCode) {
      context.addIssue({ code: 'custom', path: ['token'], message: 'comes without `email` and `code`' });
    }
    if (token !== undefined) return;
    if (!isCode) missing('token', 'is required, or `email` and `code`');
    else if (email === undefined) missing('email', 'is required with `code`');
    else if (code === undefined) missing('code', 'is required with `email`');
  })
  .meta({ id: 'ConfirmEmail', description: '`token`, or `email` and `code`' });
export type ConfirmEmail = z.infer<typeof confirmEmailSchema>;
