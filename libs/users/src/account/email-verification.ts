import { z } from 'zod';

/** Kind of the entries in the outbox that ask for a mail by which an address is confirmed. */
export const emailVerificationKind = 'email-verification';

/**
 * Which address: `email`, as one of the user's with `userId` or else of whoever has it; without it
 * the one of that user that waits to be confirmed. Nobody has looked yet whether there is one.
 */
export const emailVerificationSchema = z.object({
  email: z.string().optional(),
  userId: z.string().optional(),
  /** Of the request, when the user may have sent it. */
  acceptLanguage: z.string().optional(),
});
export type EmailVerification = z.infer<typeof emailVerificationSchema>;
