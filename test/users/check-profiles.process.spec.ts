import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { runCli } from '../support/run-cli.js';
import { exampleSchemas, schemaFiles } from '../support/schema-files.js';

let database: OwnDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await copyDatabase();
  client = new pg.Client({ connectionString: database.environment['DATABASE_URL'] });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const check = (settings: Record<string, string> = schemaFiles(exampleSchemas)) =>
  runCli({ ...database.environment, ...settings }, 'users', 'check-profiles');

/** 2,100 users, of whom only the first and the last do not fit. */
const insert = `insert into users (id, user_name, user_name_key, first_name, last_name, roles, password_hash,
    created_at, updated_at, profile, metadata)
  select lpad(n::text, 32, '0')::uuid, 'p' || n, 'p' || n, 'First', 'Last', '{user}', 'none', now(), now(),
    case n when 1 then '{"department":7,"a\\tb":1}' when 2100 then '{}' else '{"department":"sales"}' end::jsonb,
    case n when 2100 then '{"notes":["x"]}' else '{}' end::jsonb
  from generate_series(1, 2100) as n`;

test('users check-profiles lists who does not fit, and fails only when somebody does not', async () => {
  expect(await check()).toMatchObject({ code: 0, out: '' });
  await client.query(insert);
  const { code, out } = await check();
  const lines = out.trimEnd().split('\n');
  const found = lines.map((line) => line.split('\t').slice(0, 3).join(' '));
  expect(found.toSorted()).toEqual([
    '00000000-0000-0000-0000-000000000001 p1 profile.a\uFFFDb',
    '00000000-0000-0000-0000-000000000001 p1 profile.department',
    '00000000-0000-0000-0000-000000002100 p2100 metadata.orgId',
  ]);
  expect(lines[0]?.split('\t')).toHaveLength(4);
  expect(code).toBe(1);
  // without schemas everything fits
  expect(await check({})).toMatchObject({ code: 0, out: '' });
});

test('a schema that is refused ends the command, and names its variable', async () => {
  const { code, err } = await check(schemaFiles({ metadata: { type: 'objekt' } }));
  expect(code).toBe(1);
  expect(err).toContain('METADATA_SCHEMA_FILE names a file that is no JSON Schema that we take');
});
