import { z } from 'zod';

import { emailSchema } from '#libs/users';

import { proofFields, toProof } from './proof.schema.js';

export const requestVerificationSchema = z
  .strictObject({
    email: emailSchema
      .optional()
      .meta({ description: 'Without it your own: the one that waits, else the one that is not confirmed' }),
  })
  .meta({ id: 'RequestEmailVerification' });
export type RequestVerification = z.infer<typeof requestVerificationSchema>;

/** By the link, or by the code with the address that it went to. */
export const confirmEmailSchema = z
  .strictObject({
    ...proofFields,
    email: proofFields.email.meta({ description: 'The address that the code was sent to' }),
  })
  .transform(toProof)
  .meta({ id: 'ConfirmEmail', description: '`token`, or `email` and `code`' });
export type ConfirmEmail = z.infer<typeof confirmEmailSchema>;
