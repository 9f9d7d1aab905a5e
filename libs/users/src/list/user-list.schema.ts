import { z } from 'zod';

import { instantSchema, pageCursorSchema, pageLimitSchema, textSchema } from '#libs/platform/contract';
import { roleNameSchema } from '#libs/roles';

import { emailSchema, isOneLine, userNameParamSchema, userSchema } from '../account/users.schema.js';
import { isJsonObject } from '../profile/json-object.js';

const searched = textSchema({ max: 200 })
  .transform((part) => part.normalize('NFC').trim())
  .pipe(textSchema({ min: 1, max: 100 }).refine(isOneLine, 'must be one line of text'));

/** What stands before the dot is the object, what stands after it the property, dots and all. */
const filterName = z.string().regex(/^(?:profile|metadata)\./);

export const sorts = ['createdAt', '-createdAt', 'userName', '-userName'] as const;
export type Sort = (typeof sorts)[number];

const plainQuery = z.strictObject({
  userName: userNameParamSchema.optional().meta({ description: 'The user with just this name, in any case' }),
  email: emailSchema.optional().meta({ description: 'The user with just this address, in any case' }),
  subject: textSchema({ min: 1, max: 255 }).optional().meta({ description: 'The user with just this `subject`' }),
  status: z.enum(['active', 'deactivated']).optional(),
  role: roleNameSchema.optional().meta({ description: 'Those who have it, whatever else they have' }),
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
  filters: z
    .record(filterName, z.unknown().meta({ type: 'string' }))
    .optional()
    .meta({
      description:
        'Each a parameter of its own, any number of them: `profile.<name>=…` and `metadata.<name>=…`, for the top-level properties that have `"x-filter": true` in PROFILE_SCHEMA_FILE and METADATA_SCHEMA_FILE',
      example: { 'profile.department': 'sales' },
    }),
});

/** Gathers `profile.<name>` and `metadata.<name>`, whose names no schema of ours can know. */
export const listUsersSchema = z.preprocess((query) => {
  if (!isJsonObject(query)) return query;
  const all = Object.entries(query);
  const named = all.filter(([name]) => filterName.safeParse(name).success);
  if (named.length === 0) return query;
  const plain = all.filter(([name]) => !filterName.safeParse(name).success);
  // a parameter that is itself called `filters` stays, and is refused
  return { filters: Object.fromEntries(named), ...Object.fromEntries(plain) };
}, plainQuery);
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
