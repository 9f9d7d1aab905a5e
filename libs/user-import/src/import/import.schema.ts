import { z } from 'zod';

import { faultOfHash, type HashFault, type HashLimits } from '#libs/security/passwords';
import { textSchema } from '#libs/platform/contract';
import { createUserSchema, type JsonObject, patchUserSchema, subjectSchema } from '#libs/users';

/** What separates cells. Excel writes `;` in countries whose numbers have a decimal comma. */
export const delimiters = [',', ';', '\t'] as const;

export const importQuerySchema = z.strictObject({
  onExisting: z
    .enum(['skip', 'update'])
    .default('skip')
    .meta({ description: '`update` brings names, e-mail address and `emailVerified` up to date; administrators only' }),
  report: z
    .enum(['all', 'refused'])
    .default('all')
    .meta({ description: '`refused` answers a line for refused rows only, and the last line' }),
  delimiter: z
    .enum(delimiters)
    .optional()
    .meta({ description: 'CSV: what separates cells (`%3B`, `%09`); by its first line if absent' }),
});
export type ImportQuery = z.infer<typeof importQuerySchema>;

const hashFaults: Readonly<Record<HashFault, string>> = {
  'hash-unknown':
    'must be a hash of a known format, such as argon2 (v=19), bcrypt, scrypt, PBKDF2 or SHA-crypt; see docs/operations.md',
  'hash-malformed': 'must be a whole and well-formed hash of its format',
  'hash-too-costly': 'would take too much time or memory at login; see docs/operations.md for the bounds',
};

const passwordHash = (limits: HashLimits) =>
  z.string().superRefine((hash, context) => {
    const fault = faultOfHash(hash, limits);
    if (!fault) return;
    const { code, setting } = fault;
    const message = hashFaults[code] + (setting ? ` (here ${setting})` : '');
    context.addIssue({ code: 'custom', message, params: { code } });
  });
const createdAt = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-01-31T12:00:00Z' })
  .transform((time) => Date.parse(time))
  .refine((ms) => ms >= 0 && ms <= Date.now(), 'must be from 1970 to now');

/** Taken as it is: `ProfileSchemas` checks what is in it. A copy would lose members. */
const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be a JSON object',
);

const rowSchema = z.strictObject({
  id: z
    .uuid('must be a UUID (RFC 9562)')
    .transform((id) => id.toLowerCase())
    .nullish(),
  subject: subjectSchema.nullish(),
  externalId: textSchema({ min: 1, max: 200 }).nullish(),
  ...createUserSchema.pick({ userName: true, firstName: true, lastName: true, email: true, roles: true }).shape,
  emailVerified: z.boolean('must be true or false').nullish(),
  status: patchUserSchema.shape.status,
  createdAt: createdAt.nullish(),
  passwordHash: z.string().nullish(),
  profile: jsonObject.nullish(),
  metadata: jsonObject.nullish(),
});
export type ImportRow = z.infer<typeof rowSchema>;
export type ImportRowSchema = z.ZodType<ImportRow>;

/** A row of an import. Names, addresses and roles are those that `POST /v1/users` takes. */
export const importRowSchema = (limits: HashLimits): ImportRowSchema =>
  rowSchema.extend({ passwordHash: passwordHash(limits).nullish() });

/** The names that a row's members may have, and the columns of CSV beside those of `memberOf`. */
export const importFields: readonly string[] = Object.keys(rowSchema.shape);

/** A column `profile.department`: the member of an object. Undefined for any other name. */
export function memberOf(
  column: string,
): { readonly field: 'profile' | 'metadata'; readonly name: string } | undefined {
  const [, field, name] = /^(profile|metadata)\.(.*)$/s.exec(column) ?? [];
  return name !== undefined && (field === 'profile' || field === 'metadata') ? { field, name } : undefined;
}
