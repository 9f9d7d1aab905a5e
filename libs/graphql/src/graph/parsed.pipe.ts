import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';

import { toValidationError } from '#libs/platform/http';

/** How a field of the REST schema is called in the graph, where it differs. */
export type Renamed = Readonly<Record<string, string>>;

/** Holds an argument against the same schema as over REST. @throws AppError `invalid-request` */
export function parsed<Schema extends z.ZodType>(schema: Schema): PipeTransform<unknown, z.infer<Schema>> {
  return { transform: (value) => parseInput(schema, value) };
}

/** @throws AppError `invalid-request` that names the fields as the graph does */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  renamed: Renamed = {},
): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const rename = (issue: z.core.$ZodIssue): z.core.$ZodIssue => ({
    ...issue,
    path: issue.path.map((part) => renamed[String(part)] ?? part),
  });
  throw toValidationError(result.error.issues.map(rename));
}

/** Without what is null: many clients send null for what they leave out, and a filter has no null. */
export const withoutNulls = (fields: object | null | undefined): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== null));
