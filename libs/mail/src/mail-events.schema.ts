import { z } from 'zod';

import { textSchema } from '#libs/platform/contract';

const mailEventSchema = z.strictObject({
  type: z.enum(['bounced', 'complained', 'delivered']).meta({
    description: 'A permanent bounce or a complaint: nothing more is sent for 30 days. `delivered` ends that',
  }),
  email: textSchema({ min: 3, max: 254 }).meta({ example: 'ada@example.org' }),
  permanent: z.boolean().optional().meta({ description: 'Of a bounce; one that is not changes nothing' }),
  messageId: textSchema({ min: 1, max: 255 }).optional().meta({ description: 'The `Message-ID` of the mail' }),
  reason: textSchema({ min: 1, max: 500 }).optional().meta({ description: 'What the server said; for operators' }),
});

/** What a mail service reports, in its order. */
export const mailEventsSchema = z
  .strictObject({ events: z.array(mailEventSchema).min(1).max(100) })
  .meta({ id: 'MailEvents' });
export type MailEvent = z.output<typeof mailEventSchema>;
export type MailEvents = z.output<typeof mailEventsSchema>;
