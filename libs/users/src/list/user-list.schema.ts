import { z } from 'zod';

import { instantSchema, pageCursorSchema, pageLimitSchema, textSchema } from '#libs/platform/contract';

import { emailSchema, isOneLine, userNameParamSchema, userSchema } from '../account/users.schema.js';

const searched = textSchema({ max: 200 })
  .transform((part) => part.normalize('NFC').trim())
  .pipe(textSchema({ min: 1, max: 100 }).refine(isOneLine, 'must be one line of text'));

export const sorts = ['createdAt', '-createdAt', 'userName', '-userName'] as const;
export type Sort = (typeof sorts)[number];

export const listUsersSchema = z.strictObject({
  userName: userNameParamSchema.optional().meta({ description: 'The user with just this name, in any case' }),
  email: emailSchema.optional().meta({ description: 'The user with just this address, in any case' }),
  status: z.enum(['active', 'deactivated']).optional(),
  role: z.enum(['user', 'admin']).optional().meta({ description: 'Those who have it, whatever else they have' }),
  createdAfter: instantSchema.optional().meta({ description: 'Only later ones' }),
  createdBefore: instantSchema.optional().meta({ description: 'Only earlier ones' }),
  q: searched.optional().meta({
    description:
      'A part of the user name, of `firstName lastName` or of the e-mail address, in any case; 3 letters or more are looked up in an index',
  }),
  sort: z.enum(sorts).prefault('-createdAt'),
  count: z
    .enum(['estimated', 'exact'])
    .optional()
    .meta({ description: 'Adds `total`: as the database guesses, or counted up to 10,000' }),
  limit: pageLimitSchema.meta({ description: 'Users on a page, 1 to 100' }),
  cursor: pageCursorSchema,
});
export type ListUsers = z.infer<typeof listUsersSchema>;

export const userPageSchema = z
  .strictObject({
    items: z.array(userSchema),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'Null on the last page only; a search for what is rare may give a short page before it' }),
    total: z.int().optional().meta({ description: 'All users that the filters let through; on `count` only' }),
    totalIs: z
      .enum(['exact', 'estimated', 'at-least'])
      .optional()
      .meta({ description: '`at-least`: counting ended at 10,000' }),
  })
  .meta({ id: 'UserPage' });
export type UserPage = z.infer<typeof userPageSchema>;
