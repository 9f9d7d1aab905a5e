import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Settings with files of these schemas, for `profile` and `metadata` of users. */
export function schemaFiles(schemas: { profile?: unknown; metadata?: unknown }): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-schemas-'));
  const settings = Object.entries(schemas).map(([field, schema]) => {
    const path = join(folder, `${field}.schema.json`);
    writeFileSync(path, JSON.stringify(schema));
    return [`${field.toUpperCase()}_SCHEMA_FILE`, path];
  });
  return Object.fromEntries(settings);
}

/** A schema of each that says a little of everything. */
export const exampleSchemas = {
  profile: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    additionalProperties: false,
    properties: {
      department: { type: 'string', maxLength: 40, 'x-filter': true },
      level: { type: 'integer', minimum: 0, 'x-filter': true },
      remote: { type: 'boolean', 'x-filter': true },
      score: { type: 'number', 'x-filter': true },
      nickName: { type: 'string' },
      address: { type: 'object', properties: { city: { type: 'string' }, zip: { type: 'string' } } },
    },
  },
  metadata: {
    type: 'object',
    required: ['orgId'],
    properties: { orgId: { type: 'string', 'x-filter': true }, notes: { type: 'array', items: { type: 'string' } } },
  },
};
