import { z } from 'zod';

import { revocationKinds } from '#verifier/revocations';

/** A receiver takes no heartbeat for this long as one that was lost. */
export const heartbeatMs = 1_000;

const positionSchema = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\w-]+$/, 'must be one that the feed has given');

export const readFeedSchema = z
  .strictObject({
    cursor: positionSchema.optional().meta({
      description: '`cursor` of a walk before: what was committed since. Without it, all that is live',
    }),
    page: positionSchema.optional().meta({ description: '`nextPage` of the page before, in place of `cursor`' }),
    limit: z
      .string()
      .regex(/^\d{1,5}$/, 'must be a whole number from 1 to 10,000')
      .transform(Number)
      .pipe(z.int().min(1).max(10_000))
      .prefault('1000'),
  })
  .refine(({ cursor, page }) => cursor === undefined || page === undefined, {
    path: ['page'],
    message: 'must come without a cursor: it has the walk in it',
  });
export type ReadFeed = z.infer<typeof readFeedSchema>;

export const revocationSchema = z
  .strictObject({
    kind: z.enum(revocationKinds),
    subject: z.string().meta({
      description: '`jti`, `sid`, `sub`, `kid`, `client_id` of a token without `sid`, or the name of a role',
    }),
    below: z.int().nullable().meta({
      description: 'Ends tokens whose generation of this kind is below it; null: of every generation',
    }),
    cause: z.string().meta({ description: 'What happened, for people; new ones may come', example: 'logout' }),
    expiresAt: z.iso.datetime().meta({ description: 'Keep the entry until then' }),
  })
  .meta({ id: 'Revocation' });

export const revocationPageSchema = z
  .strictObject({
    epoch: z.string().meta({ description: 'Another one: cursors of before are answered `feed-reset`' }),
    cursor: z.string().meta({ description: 'The same on each page of a walk; read on from it after the last page' }),
    heartbeatMs: z.int().meta({ description: 'How often to read on where there is no stream' }),
    items: z.array(revocationSchema),
    nextPage: z.string().nullable().meta({ description: 'Goes back as `page`, until it is null' }),
  })
  .meta({ id: 'RevocationPage' });
export type RevocationPage = z.infer<typeof revocationPageSchema>;
