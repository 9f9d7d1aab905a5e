import { z } from 'zod';

import { isVisible, mustBeVisible, textSchema } from '#libs/platform/contract';
import { roleNameSchema } from '#libs/roles';

import { jsonObjectSchema } from '../profile/json-object.schema.js';
import { emailLimit, faultOfEmail } from './email-address.js';

/** Without control characters, line breaks and direction overrides, which can disguise a name. */
export const isOneLine = (name: string): boolean => !/[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u.test(name);

const personName = textSchema({ max: 200 })
  .transform((name) => name.normalize('NFC').trim())
  .pipe(
    textSchema({ min: 1, max: 100 }).refine(isOneLine, 'must be one line of text').refine(isVisible, mustBeVisible),
  );
/** The service prepares it by RFC 8265 and says what is wrong with it. */
const userName = textSchema({ min: 1, max: 256 }).meta({
  description: 'Unique without regard to case; RFC 8265',
  example: 'ada',
});
const password = textSchema({ max: 1024 }).meta({ description: '8 to 128 characters of any kind', format: 'password' });
export const emailSchema = z
  .string()
  .trim()
  .max(emailLimit, { error: `must have at most ${emailLimit} characters`, abort: true })
  .superRefine((email, context) => {
    const fault = faultOfEmail(email);
    if (fault) context.addIssue({ code: 'custom', message: fault.message, params: { code: fault.code } });
  })
  .meta({
    format: 'email',
    description: 'What a browser takes for one; its domain in Unicode or as A-labels (`xn--…`), which are the same',
    example: 'ada@example.org',
  });
/** Kept exactly as it comes: a `sub` is compared letter by letter (RFC 7519 §4.1.2). */
export const subjectSchema = textSchema({ min: 1, max: 255 }).refine(
  (subject) => !/\p{Cc}/u.test(subject),
  'must have no control characters',
);
const roles = z
  .array(roleNameSchema)
  .min(1)
  .max(50)
  .transform((names) => [...new Set(names)]);
const status = z.enum(['active', 'deactivated']);

const heldObject = z.record(z.string(), z.unknown());
const profile = jsonObjectSchema('Any JSON object that PROFILE_SCHEMA_FILE allows; 16 KB together with `metadata`');
const metadata = jsonObjectSchema('Administrators, and services with `users:write`');

export const userSchema = z
  .strictObject({
    id: z.uuid(),
    subject: z.string().meta({ description: 'The `sub` of the tokens: the id, unless another was imported' }),
    userName: z.string(),
    firstName: z.string(),
    lastName: z.string(),
    email: z.string().nullable(),
    emailVerified: z.boolean().meta({ description: 'Whether its user has proved to read the mail of `email`' }),
    pendingEmail: z
      .string()
      .nullable()
      .optional()
      .meta({ description: 'Becomes `email` when it is confirmed; services do not see it' }),
    roles: z.array(z.string()),
    status,
    avatar: z
      .strictObject({
        url: z.string().meta({ description: 'The picture in 256 px; change the number for another of the sizes' }),
        sizes: z.array(z.int()),
      })
      .nullable(),
    profile: heldObject.meta({ description: 'What the user may change; as PROFILE_SCHEMA_FILE has it' }),
    metadata: heldObject.meta({ description: 'What the user may only read; as METADATA_SCHEMA_FILE has it' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'User' });
export type UserView = z.infer<typeof userSchema>;

export const personalDataExportSchema = z
  .object({ exportedAt: z.iso.datetime(), user: userSchema })
  // unknown, not arrays: generated types could not hold the members above otherwise
  .catchall(z.unknown())
  .meta({ id: 'UserExport', description: 'The user, then one array for each kind of data kept about it' });

export const createUserSchema = z
  .strictObject({
    userName,
    firstName: personName,
    lastName: personName,
    password,
    email: emailSchema.nullish(),
    roles: roles.optional().meta({ description: 'Only an administrator may give roles' }),
    profile: profile.optional(),
    metadata: metadata.optional(),
  })
  .meta({ id: 'CreateUser' });
export type CreateUser = z.infer<typeof createUserSchema>;

/**
 * JSON Merge Patch (RFC 7396): what is absent stays, `null` clears, at any depth of `profile` and
 * `metadata` too.
 */
export const patchUserSchema = z
  .strictObject({
    firstName: personName.optional(),
    lastName: personName.optional(),
    email: emailSchema.nullable().optional(),
    roles: roles.optional().meta({ description: 'Administrators only' }),
    status: status.optional().meta({ description: 'Administrators only' }),
    profile: profile.nullable().optional(),
    metadata: metadata.nullable().optional(),
  })
  .meta({ id: 'PatchUser' });
export type PatchUser = z.infer<typeof patchUserSchema>;

export const userIdSchema = z
  .union([z.literal('me'), z.uuid('must be a user id or `me`')])
  .meta({ description: 'A user id, or `me`' });

export const userNameParamSchema = textSchema({ min: 1, max: 256 });
