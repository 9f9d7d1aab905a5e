/** What `profile` and `metadata` of a user hold. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a value has that JSON, PostgreSQL or a reader could not keep. */
export type JsonFault = { readonly path: readonly string[]; readonly message: string; readonly code: string };

/** As deep as a body may be (`json-parser.ts`), without the object around `profile` itself. */
const depthLimit = 31;

/** Null and lists are none. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What is wrong with a value as JSON that we keep and hand on: text that PostgreSQL refuses (NUL,
 * lone surrogates), numbers that JSON cannot write (`1e400` is read as Infinity), nesting, and the
 * name `__proto__`, by which a reader that copies members one by one would change a prototype.
 * @returns the first fault only
 */
export function faultOfJson(value: unknown, path: readonly string[] = []): JsonFault | undefined {
  if (typeof value === 'string') return isCleanText(value) ? undefined : badText(path);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return { path, message: 'must be a number that a double can hold', code: 'invalid-number' };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (path.length >= depthLimit) {
    return { path, message: `must be nested ${depthLimit} levels at most`, code: 'too-deep' };
  }
  for (const [name, member] of Object.entries(value)) {
    if (!isCleanText(name)) return badText(path);
    const memberPath = [...path, name.slice(0, 64)];
    if (name === '__proto__') return { path: memberPath, message: 'is no name that is taken', code: 'refused-name' };
    const fault = faultOfJson(member, memberPath);
    if (fault) return fault;
  }
  return undefined;
}

/** Text that PostgreSQL takes. */
export const isCleanText = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

const badText = (path: readonly string[]): JsonFault => ({
  path,
  message: 'must be well-formed text without NUL',
  code: 'invalid-text',
});

/**
 * JSON Merge Patch (RFC 7396 §2). Members are looked up among the own ones only, so that no name
 * reaches a prototype; neither argument is changed.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  return isJsonObject(patch) ? mergeObject(target, patch) : patch;
}

/** As `mergePatch`, where the patch is an object, and so is the result. */
export function mergeObject(target: unknown, patch: JsonObject): JsonObject {
  const members = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name);
    else members.set(name, mergePatch(members.get(name), value));
  }
  return Object.fromEntries(members);
}
