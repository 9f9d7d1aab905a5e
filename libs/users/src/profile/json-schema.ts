import type { CodeKeywordDefinition, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';

import type { FieldError } from '#libs/platform/errors';

import type { JsonObject } from './json-object.js';

const filterTypes = ['string', 'number', 'integer', 'boolean'] as const;
/** The type of a property that lists can be filtered by. */
export type FilterType = (typeof filterTypes)[number];

/** A schema that an operator has given for `profile` or `metadata`. */
export type CompiledSchema = {
  /** The faults, at most 32, with paths that begin with `field`. */
  readonly faultsOf: (object: JsonObject, field: string) => readonly FieldError[];
  /** The top-level properties with `"x-filter": true`. */
  readonly filterable: ReadonlyMap<string, FilterType>;
};

/** As many as a refused body may list. */
const errorLimit = 32;

/**
 * Compiles a JSON Schema of the draft 2020-12 in strict mode. It must be whole in itself: what it
 * refers to elsewhere is never loaded. Formats are checked, not only noted.
 * @throws Error that ends a sentence about the schema's file
 */
export async function compileSchema(schema: unknown): Promise<CompiledSchema> {
  try {
    return await compile(schema);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`is no JSON Schema that we take: ${reason}`, { cause });
  }
}

async function compile(schema: unknown): Promise<CompiledSchema> {
  if (!isSchema(schema)) throw new Error('a schema is an object, true or false');
  // most services have no schema, and need not hold this in memory
  const [{ Ajv2020 }, formats] = await Promise.all([import('ajv/dist/2020.js'), import('ajv-formats')]);
  const filterable = new Map<string, FilterType>();
  const ajv = new Ajv2020({ strict: true, allErrors: true, ownProperties: true, allowUnionTypes: true, logger: false });
  formats.default.default(ajv);
  ajv.addKeyword(filterKeyword(filterable));
  const validate = ajv.compile<JsonObject>(schema);
  // its answer would be a promise, which counts as true
  if ('$async' in validate) throw new Error('"$async" is no keyword of the draft');
  return { faultsOf: (object, field) => faultsOf(validate, object, field), filterable };
}

const isSchema = (value: unknown): value is boolean | Record<string, unknown> =>
  typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value));

/** Notes the properties that have it; it lets every value through. */
const filterKeyword = (filterable: Map<string, FilterType>): CodeKeywordDefinition => ({
  keyword: 'x-filter',
  schemaType: 'boolean',
  code({ schema, parentSchema, it }) {
    if (schema !== true) return;
    const [, name] = /^#\/properties\/([^/]+)$/.exec(it.errSchemaPath) ?? [];
    if (name === undefined) throw new Error(`"x-filter" at ${it.errSchemaPath}: only top-level properties can have it`);
    const type = filterTypes.find((known) => known === parentSchema['type']);
    if (!type) throw new Error(`"x-filter" at ${it.errSchemaPath}: the type must be one of ${filterTypes.join(', ')}`);
    filterable.set(decodePointer(decodeURIComponent(name)), type);
  },
});

function faultsOf(validate: ValidateFunction<JsonObject>, object: JsonObject, field: string): readonly FieldError[] {
  if (validate(object)) return [];
  return (validate.errors ?? []).slice(0, errorLimit).map((error) => toFieldError(error, field));
}

function toFieldError(
  { instancePath, keyword, params, message = 'is refused' }: ErrorObject,
  field: string,
): FieldError {
  const named: unknown =
    params['missingProperty'] ??
    params['additionalProperty'] ??
    params['unevaluatedProperty'] ??
    params['propertyName'];
  const names = instancePath.split('/').slice(1).map(decodePointer);
  const all = typeof named === 'string' ? [field, ...names, named] : [field, ...names];
  const code = codes[keyword] ?? keyword.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { path: all.map((name) => name.slice(0, 64)).join('.'), message, code };
}

/** Where our own word for a fault is another than the keyword. */
const codes: Readonly<Record<string, string>> = {
  type: 'invalid-type',
  additionalProperties: 'unknown-field',
  unevaluatedProperties: 'unknown-field',
};

/** RFC 6901 §4. */
const decodePointer = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');
