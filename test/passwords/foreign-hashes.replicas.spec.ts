import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { hashVectors } from '../support/hash-vectors.js';
import { importRow, importUsers } from '../support/imports.js';
import { signInAdmin, uniqueName } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

// on one database only: what a hash is worth does not depend on where it is kept
let database: OwnDatabase;
let gatehouse: Gatehouse;
let client: pg.Client;

const people = hashVectors.map((vector) => Object.assign({ userName: uniqueName('moved') }, vector));

beforeAll(async () => {
  database = await copyDatabase();
  // the vectors are what they are
  const costly = { IMPORT_HASH_MAX_MEMORY_MIB: '256', IMPORT_PBKDF2_MAX_ITERATIONS: '2000000' };
  gatehouse = await startGatehouse(costly, database);
  client = new pg.Client({ connectionString: database.environment['DATABASE_URL'] });
  await client.connect();
  const { token } = await signInAdmin(gatehouse);
  const rows = people.map(({ userName, hash }) => importRow({ userName, passwordHash: hash }));
  const { summary } = await importUsers(gatehouse, rows, { token });
  if (summary.created !== people.length) throw new Error(JSON.stringify(summary));
});
afterAll(async () => {
  await client.end();
  await gatehouse.stop();
  await database.drop();
});

const login = async (userName: string, password: string): Promise<number> =>
  (await gatehouse.api.post('/v1/auth/login', { body: { userName, password } })).status;
const hashOf = async (userName: string): Promise<string> => {
  const { rows } = await client.query('select password_hash from users where user_name_key = $1', [userName]);
  return rows[0].password_hash;
};

test.concurrent.each(people)(
  '$format $hash lets in with its password only, and is argon2id after ($source)',
  async (person) => {
    const { userName, password, hash } = person;
    // a changed beginning: bcrypt looks at no more than 72 bytes
    expect(await login(userName, `?${password}`)).toBe(401);
    expect(await hashOf(userName)).toBe(hash);
    expect(await login(userName, password)).toBe(200);
    expect(await hashOf(userName)).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await login(userName, password)).toBe(200);
  },
);
