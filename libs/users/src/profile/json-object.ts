import type { FieldError } from '#libs/platform/errors';

/** What `profile` and `metadata` of a user hold. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** As deep as a body may be (`json-parser.ts`), without the object around `profile` itself. */
const depthLimit = 31;

/** Null, lists and instances of classes are none. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What is wrong with a value as JSON that we keep and hand on: text that PostgreSQL refuses (NUL,
 * lone surrogates), numbers that JSON cannot write (`1e400` is read as Infinity), nesting, and the
 * name `__proto__`, by which a reader that copies members one by one would change a prototype.
 * @returns the first fault only; `path` in dots
 */
export function faultOfJson(value: unknown, path: string, depth = 0): FieldError | undefined {
  if (typeof value === 'string' && !isCleanText(value)) return badText(path);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return { path, message: 'must be a number that a double can hold', code: 'invalid-number' };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= depthLimit) return { path, message: `must be nested ${depthLimit} levels at most`, code: 'too-deep' };
  for (const [name, member] of Object.entries(value)) {
    if (!isCleanText(name)) return badText(path);
    const memberPath = `${path}.${name.slice(0, 64)}`;
    if (name === '__proto__') return { path: memberPath, message: 'is no name that is taken', code: 'refused-name' };
    const fault = faultOfJson(member, memberPath, depth + 1);
    if (fault) return fault;
  }
  return undefined;
}

const isCleanText = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

const badText = (path: string): FieldError => ({
  path,
  message: 'must be well-formed text without NUL',
  code: 'invalid-text',
});
