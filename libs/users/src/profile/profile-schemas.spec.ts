import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { ConfigError } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';

import type { JsonObject } from './json-object.js';
import { ProfileSchemas } from './profile-schemas.js';

const folder = mkdtempSync(join(tmpdir(), 'schemas-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function fileOf(text: string): string {
  const path = join(folder, `${++files}.json`);
  writeFileSync(path, text);
  return path;
}

const load = (profile?: unknown, metadata?: unknown): Promise<ProfileSchemas> =>
  ProfileSchemas.load({
    PROFILE_SCHEMA_FILE: profile === undefined ? undefined : fileOf(JSON.stringify(profile)),
    METADATA_SCHEMA_FILE: metadata === undefined ? undefined : fileOf(JSON.stringify(metadata)),
  });

function refusalOf(work: () => void): AppError {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

const errorsOf = (schemas: ProfileSchemas, fields: { profile?: JsonObject; metadata?: JsonObject }) =>
  refusalOf(() => schemas.assertFit(fields)).options.errors?.map(({ path, code }) => ({
    path,
    code,
  }));

const person = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  required: ['department'],
  properties: {
    department: { type: 'string', maxLength: 10, 'x-filter': true },
    'a/b~c %': { type: 'boolean', 'x-filter': true },
    level: { type: 'integer', 'x-filter': true },
    score: { type: 'number', 'x-filter': true },
    note: { type: 'string', 'x-filter': false },
    born: { type: 'string', format: 'date' },
    tags: { type: 'array', items: { type: 'string', enum: ['a', 'b'] } },
    address: { type: 'object', properties: { 'zip/code': { type: 'string' } } },
  },
};

test('without a schema every object fits, and nothing can be filtered by', async () => {
  const schemas = await load();
  schemas.assertFit({ profile: { any: [{ thing: null }] }, metadata: {} });
  expect(schemas.filterable).toEqual({ profile: new Map(), metadata: new Map() });
});

test('what has `x-filter` can be filtered by, with its type', async () => {
  const { filterable } = await load(person);
  expect([...filterable.profile]).toEqual([
    ['department', 'string'],
    ['a/b~c %', 'boolean'],
    ['level', 'integer'],
    ['score', 'number'],
  ]);
});

test.for<[profile: JsonObject, ...errors: readonly (readonly [path: string, code: string])[]]>([
  [{ department: 1 }, ['profile.department', 'invalid-type']],
  [{}, ['profile.department', 'required']],
  [{ department: 'sales', other: 1 }, ['profile.other', 'unknown-field']],
  [{ department: 'much too long' }, ['profile.department', 'max-length']],
  [
    { department: 'sales', tags: ['a', 'x', 2] },
    ['profile.tags.1', 'enum'],
    ['profile.tags.2', 'invalid-type'],
    ['profile.tags.2', 'enum'],
  ],
  [{ department: 'sales', born: '2026-02-30' }, ['profile.born', 'format']],
  [{ department: 'sales', address: { 'zip/code': 1 } }, ['profile.address.zip/code', 'invalid-type']],
  [{ department: 'sales', ['x'.repeat(100)]: 1 }, [`profile.${'x'.repeat(64)}`, 'unknown-field']],
])('%j is refused with the paths of its faults', async ([profile, ...errors]) => {
  const schemas = await load(person);
  expect(errorsOf(schemas, { profile })).toEqual(errors.map(([path, code]) => ({ path, code })));
});

test('only the objects that are given are checked', async () => {
  const schemas = await load(person, person);
  schemas.assertFit({});
  schemas.assertFit({ profile: { department: 'sales' } });
  expect(errorsOf(schemas, { profile: {}, metadata: {} })).toEqual([
    { path: 'profile.department', code: 'required' },
    { path: 'metadata.department', code: 'required' },
  ]);
});

test('at most 32 faults are listed', async () => {
  const schemas = await load(person);
  const profile = { department: 'sales', tags: Array.from({ length: 1_000 }, () => 1) };
  expect(errorsOf(schemas, { profile })).toHaveLength(32);
});

test.for<[text: string, path: string, code: string]>([
  ['{"a":{"__proto__":{"isAdmin":true}}}', 'profile.a.__proto__', 'refused-name'],
  ['{"a":[{"__proto__":1}]}', 'profile.a.0.__proto__', 'refused-name'],
  ['{"a":1e400}', 'profile.a', 'invalid-number'],
  [String.raw`{"a":"\u0000"}`, 'profile.a', 'invalid-text'],
  [String.raw`{"a":"\ud800"}`, 'profile.a', 'invalid-text'],
  [String.raw`{"\udfff":1}`, 'profile', 'invalid-text'],
  [`{"a":${'['.repeat(31)}${']'.repeat(31)}}`, `profile.a${'.0'.repeat(30)}`, 'too-deep'],
])('%s is refused whatever the schema says', async ([text, path, code]) => {
  expect(errorsOf(await load(true), { profile: JSON.parse(text) })).toEqual([{ path, code }]);
});

test('names of members of every object are names like others', async () => {
  const schemas = await load({ type: 'object', properties: { constructor: { type: 'string' } } });
  schemas.assertFit({ profile: { toString: 1, hasOwnProperty: 2 } });
  expect(errorsOf(schemas, { profile: { constructor: 1 } })).toEqual([
    { path: 'profile.constructor', code: 'invalid-type' },
  ]);
});

test('both may have 16 KB together, counted in bytes', async () => {
  const schemas = await load();
  // {"a":"…"} is 8 bytes and the text; {} is 2
  schemas.assertSize({ a: 'é'.repeat(8_187) }, {});
  expect(refusalOf(() => schemas.assertSize({ a: `${'é'.repeat(8_187)}x` }, {})).code).toBe('profile-too-large');
  expect(refusalOf(() => schemas.assertSize({ a: 'é'.repeat(4_096) }, { a: 'é'.repeat(4_096) })).code).toBe(
    'profile-too-large',
  );
});

test.for<[schema: unknown, fault: RegExp]>([
  [[], /no JSON Schema/],
  ['text', /no JSON Schema/],
  [{ type: 'objekt' }, /no JSON Schema/],
  [{ type: 'object', propertys: {} }, /unknown keyword: "propertys"/],
  [{ $ref: 'other.json' }, /can't resolve reference other\.json/],
  [{ $ref: 'file:///etc/passwd' }, /can't resolve reference/],
  [{ $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' }, /draft-07/],
  [{ $async: true, type: 'object' }, /\$async/],
  [{ type: 'object', properties: { a: { type: 'string', format: 'nonsense' } } }, /nonsense/],
  [{ type: 'object', properties: { a: { type: 'string', pattern: '(' } } }, /\(/],
  [{ type: 'object', 'x-filter': true }, /only top-level properties/],
  [{ type: 'object', properties: { a: { type: 'object', 'x-filter': true } } }, /must be one of/],
  [{ type: 'object', properties: { a: { type: ['string', 'null'], 'x-filter': true } } }, /must be one of/],
  [{ type: 'object', properties: { a: { enum: ['x'], 'x-filter': true } } }, /must be one of/],
  [{ type: 'object', properties: { a: { type: 'string', 'x-filter': 'yes' } } }, /x-filter/],
  [
    { type: 'object', properties: { a: { type: 'object', properties: { b: { type: 'string', 'x-filter': true } } } } },
    /only top-level/,
  ],
  [{ type: 'object', allOf: [{ properties: { a: { type: 'string', 'x-filter': true } } }] }, /only top-level/],
])('%j ends the start, in the name of its variable', async ([schema, fault]) => {
  await expect(load(schema)).rejects.toThrow(ConfigError);
  await expect(load(schema)).rejects.toThrow(fault);
  await expect(load(undefined, schema)).rejects.toThrow('METADATA_SCHEMA_FILE names a file that is no JSON Schema');
});

test('a file that cannot be read or holds no JSON is named with its variable, both at once', async () => {
  const loading = ProfileSchemas.load({ PROFILE_SCHEMA_FILE: '/nowhere', METADATA_SCHEMA_FILE: fileOf('{"a":') });
  await expect(loading).rejects.toThrow(/PROFILE_SCHEMA_FILE .* cannot be read\n.*METADATA_SCHEMA_FILE .* is no JSON/);
});
