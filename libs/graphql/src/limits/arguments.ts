import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';

import { pageLimitSchema } from '#libs/platform/contract';
import { toValidationError } from '#libs/platform/http';

/** How an argument is called where the field of the REST schema has another name. */
const argumentNames: Readonly<Record<string, string>> = { limit: 'first', cursor: 'after' };

/** Holds an argument against the same schema as over REST. @throws AppError `invalid-request` */
export function parsed<Schema extends z.ZodType>(schema: Schema): PipeTransform<unknown, z.infer<Schema>> {
  return { transform: (value) => parseInput(schema, value) };
}

/** @throws AppError `invalid-request` that names the fields as GraphQL does */
export function parseInput<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw toValidationError(result.error.issues.map(withArgumentNames));
}

const withArgumentNames = (issue: z.core.$ZodIssue): z.core.$ZodIssue => ({
  ...issue,
  path: issue.path.map((part) => argumentNames[String(part)] ?? part),
});

type ListArguments = {
  readonly filter: object | null | undefined;
  readonly first: number;
  readonly after: string | null | undefined;
  readonly sort?: string;
};

/**
 * The query of a list as REST has it, where all fields are texts. `null` counts as absent, since
 * many clients send it for what they leave out. @throws AppError `invalid-request`
 */
export function parseList<Schema extends z.ZodType>(
  schema: Schema,
  { filter, first, after, ...rest }: ListArguments,
): z.infer<Schema> {
  const fields = Object.entries({ ...filter, ...rest, limit: String(first), cursor: after });
  return parseInput(schema, Object.fromEntries(fields.filter(([, value]) => value !== null && value !== undefined)));
}

/** The `first` of a list, 1 to 100 as over REST. @throws AppError `invalid-request` */
export function pageSizeOf(first: number): number {
  // fast path: `User.sessions` asks this for every user of a page
  if (first >= 1 && first <= 100) return first;
  return parseInput(pageLimitSchema, String(first));
}
