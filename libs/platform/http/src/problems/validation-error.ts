import type { StandardSchemaV1 } from '@standard-schema/spec';

import { AppError, type FieldError } from '#libs/platform/errors';

/** More than enough to mend a request by; a hostile one could have thousands. */
const errorLimit = 32;

/** Turns the issues of a schema into one `invalid-request` that lists the refused fields. */
export function toValidationError(issues: readonly StandardSchemaV1.Issue[]): AppError {
  const errors = issues.flatMap(toFieldErrors);
  return new AppError('invalid-request', { errors: errors.filter(isFirstFault).slice(0, errorLimit) });
}

/**
 * Of what has the wrong type, nothing else needs to be said: a text in place of a list is not also
 * a list too long.
 */
function isFirstFault({ path, code }: FieldError, _: number, all: readonly FieldError[]): boolean {
  return code === 'invalid-type' || !all.some((other) => other.path === path && other.code === 'invalid-type');
}

function toFieldErrors(issue: StandardSchemaV1.Issue): readonly FieldError[] {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  const code: unknown = Reflect.get(issue, 'code');
  const keys: unknown = Reflect.get(issue, 'keys');
  if (code === 'unrecognized_keys' && Array.isArray(keys)) {
    return keys.slice(0, errorLimit).map((key) => ({
      path: [...path, String(key).slice(0, 64)].join('.'),
      message: 'This field is not known here.',
      code: 'unknown-field',
    }));
  }
  const params: unknown = Reflect.get(issue, 'params');
  const own = typeof params === 'object' && params !== null ? Reflect.get(params, 'code') : undefined;
  return [{ path: path.join('.'), message: issue.message, code: typeof own === 'string' ? own : toFieldCode(issue) }];
}

function toFieldCode(issue: StandardSchemaV1.Issue): string {
  const code: unknown = Reflect.get(issue, 'code');
  if (code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'required';
  return typeof code === 'string' && code !== 'custom' ? code.replaceAll('_', '-') : 'invalid';
}
