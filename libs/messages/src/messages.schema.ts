import { z } from 'zod';

import { pageCursorSchema, pageLimitSchema } from '#libs/platform/contract';

import { lifetimeSeconds } from './message-lifetime.js';

/** 64 KiB, in UTF-8. */
export const messageLimitBytes = 65_536;

const expiresAt = z.iso.datetime();
const reads = z.int().nullable().meta({ description: '`null`: as often as one likes' });
const limits = { createdAt: z.iso.datetime(), expiresAt, maxReads: reads, readsLeft: reads };
const recipientId = z
  .uuid()
  .nullable()
  .meta({ description: 'The only user who may read it; `null`: whoever has the URL' });

export const createMessageSchema = z
  .strictObject({
    body: z.string().min(1).meta({ description: 'Up to 64 KiB in UTF-8, kept byte for byte' }),
    expiresIn: z
      .int()
      .min(lifetimeSeconds.min)
      .max(lifetimeSeconds.max)
      .default(lifetimeSeconds.default)
      .meta({ description: 'Seconds until it is gone: 5 minutes to 30 days' }),
    maxReads: z
      .int()
      .min(1)
      .max(100)
      .nullish()
      .meta({ description: 'It is gone after so many reads; without it, or `null`: as often as one likes' }),
    recipientId: z
      .uuid()
      .transform((id) => id.toLowerCase())
      .nullish()
      .meta({ description: 'Only this user, signed in, may read it' }),
  })
  .meta({ id: 'CreateMessage' });
export type CreateMessage = z.infer<typeof createMessageSchema>;

export const createdMessageSchema = z
  .strictObject({
    url: z.url().meta({ description: 'A page for people; behind `#` is the token, which is shown once, here' }),
    id: z.uuid(),
    expiresAt,
  })
  .meta({ id: 'CreatedMessage' });
export type CreatedMessage = z.infer<typeof createdMessageSchema>;

export const messageSchema = z
  .strictObject({
    id: z.uuid(),
    body: z.string().nullable().meta({ description: '`null` where reads are limited: reveal it' }),
    ...limits,
    recipientId,
  })
  .meta({ id: 'Message' });
export type MessageView = z.infer<typeof messageSchema>;

export const revealedMessageSchema = z
  .strictObject({ body: z.string(), expiresAt, readsLeft: reads })
  .meta({ id: 'RevealedMessage' });
export type RevealedMessage = z.infer<typeof revealedMessageSchema>;

export const sentMessageSchema = z
  .strictObject({
    id: z.uuid(),
    ...limits,
    reads: z.int().meta({ description: 'How often it was revealed' }),
    lastReadAt: z.iso.datetime().nullable(),
    recipientId,
  })
  .meta({ id: 'SentMessage' });
export type SentMessage = z.infer<typeof sentMessageSchema>;

export const sentPageSchema = z
  .strictObject({ items: z.array(sentMessageSchema), nextCursor: z.string().nullable() })
  .meta({ id: 'SentMessagePage' });
export type SentPage = z.infer<typeof sentPageSchema>;

export const listSentSchema = z.strictObject({ limit: pageLimitSchema, cursor: pageCursorSchema });
export type ListSent = z.infer<typeof listSentSchema>;
