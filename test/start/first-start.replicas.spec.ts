import { randomBytes } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { SigningKeysService } from '#libs/auth';
import { AdminsService } from '#libs/users';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let database: OwnDatabase;
let replicas: readonly Gatehouse[];

beforeAll(async () => {
  database = await copyDatabase();
  const environment = { MASTER_KEY: randomBytes(32).toString('base64') };
  replicas = await Promise.all([1, 2].map(() => startGatehouse(environment, database)));
});
afterAll(async () => {
  await Promise.all(replicas.map(({ stop }) => stop()));
  await database.drop();
});

const sql = (statement: string): Promise<any[]> | undefined =>
  replicas[0]?.app.get(SqlEntityManager).fork().execute(statement);

// processes that start at once seldom reach a step at the same moment; these do
test.for<[string, string, (replica: Gatehouse) => Promise<unknown>]>([
  ['administrator', 'users', ({ app }) => app.get(AdminsService).ensureFirst()],
  ['signing key', 'signing_keys', ({ app }) => app.get(SigningKeysService).ensure()],
])('replicas that find an empty database at the same moment make one %s', async ([, table, ensure]) => {
  await sql(`delete from ${table}`);
  await Promise.all([...replicas, ...replicas].map(ensure));
  expect(await sql(`select count(*)::int as count from ${table}`)).toEqual([{ count: 1 }]);
});
