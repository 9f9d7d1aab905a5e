import { AppError, type FieldError } from '#libs/platform/errors';

import { isCleanText, type JsonObject } from '../profile/json-object.js';
import type { FilterType } from '../profile/json-schema.js';
import { type ProfileField, profileFields, type ProfileSchemas } from '../profile/profile-schemas.js';

/** Members that the objects of a user must have, in the order of their names. */
export type ProfileFilters = Readonly<Partial<Record<ProfileField, JsonObject>>>;
type Filterable = ProfileSchemas['filterable'];
type Value = string | number | boolean;

/**
 * The values of filters such as `profile.level`, of the types that the schemas give them.
 * @throws AppError `invalid-request` that says what can be filtered by
 */
export function profileFiltersOf(texts: Readonly<Record<string, unknown>>, filterable: Filterable): ProfileFilters {
  const errors: FieldError[] = [];
  const found = profileFields.flatMap((field) => {
    const members = namesOf(texts, field).flatMap((name): [string, Value][] => {
      const path = `${field}.${name}`;
      const value = valueOf(texts[path], filterable[field].get(name), filterable);
      if (typeof value !== 'object') return [[name, value]];
      errors.push({ ...value, path: path.slice(0, 128) });
      return [];
    });
    return members.length > 0 ? [[field, Object.fromEntries(members)] as const] : [];
  });
  if (errors.length > 0) throw new AppError('invalid-request', { errors });
  return Object.fromEntries(found);
}

/** Sorted, so that the same filters in another order have the same cursors. */
const namesOf = (texts: Readonly<Record<string, unknown>>, field: ProfileField): readonly string[] =>
  Object.keys(texts)
    .filter((path) => path.startsWith(`${field}.`))
    .map((path) => path.slice(field.length + 1))
    .toSorted();

type Fault = Omit<FieldError, 'path'>;

function valueOf(text: unknown, type: FilterType | undefined, filterable: Filterable): Value | Fault {
  if (type === undefined) return { message: `is no filter; ${filtersIn(filterable)}`, code: 'unknown-filter' };
  if (typeof text !== 'string') return { message: 'must be given once', code: 'invalid-type' };
  const value = parsers[type](text);
  return value ?? { message: `must be ${words[type]}`, code: 'invalid-type' };
}

function filtersIn(filterable: Filterable): string {
  const names = profileFields.flatMap((field) => [...filterable[field].keys()].map((name) => `${field}.${name}`));
  return names.length > 0 ? `there are ${names.join(', ')}` : 'no property of a schema has "x-filter"';
}

/** As JSON has it (RFC 8259 §6). */
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function toNumber(text: string): number | undefined {
  const value = number.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

const parsers: Readonly<Record<FilterType, (text: string) => Value | undefined>> = {
  string: (text) => (isCleanText(text) ? text : undefined),
  number: toNumber,
  integer: (text) => {
    const value = toNumber(text);
    return value !== undefined && Number.isInteger(value) ? value : undefined;
  },
  boolean: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

const words: Readonly<Record<FilterType, string>> = {
  string: 'well-formed text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
};
