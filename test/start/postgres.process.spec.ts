import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type EmptyDatabase, emptyDatabase } from '../support/empty-database.js';
import { runCli } from '../support/run-cli.js';
import { expectSurvivors, registerUntilKilled } from '../support/registrations.js';
import { type Process, spawnGatehouse, spawnRefused } from '../support/spawn-gatehouse.js';

const adminPassword = 'tin whistle at dawn';
// one database through its whole life: the tests build on each other, since
// each start costs a second of CPU
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-process-'));
const replicas: Process[] = [];
let database: EmptyDatabase;
/** What replicas of one service share. */
let environment: Record<string, string>;

beforeAll(async () => {
  database = await emptyDatabase();
  environment = {
    NODE_ENV: 'production',
    DATABASE_URL: database.url,
    DATA_DIR: folder,
    MASTER_KEY: randomBytes(32).toString('base64'),
    ADMIN_PASSWORD: adminPassword,
  };
});
afterAll(async () => {
  for (const replica of replicas) await end(replica);
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<Process> {
  const replica = await spawnGatehouse(environment);
  replicas.push(replica);
  return replica;
}

async function end({ kill, ended }: Process): Promise<void> {
  kill('SIGKILL');
  await ended;
}

test.for<[string, Record<string, string>, RegExp]>([
  [
    'is not judged good',
    { ADMIN_PASSWORD: 'a' },
    /ADMIN_PASSWORD must have at least 15 characters for an administrator/,
  ],
  [
    'cannot be kept for the operator',
    { ADMIN_PASSWORD: '', DATA_DIR: '/dev/null/data' },
    /DATA_DIR cannot be written .*ADMIN_PASSWORD_FILE/,
  ],
])(
  'a first start whose administrator’s password %s makes nobody and says why',
  { timeout: 60_000 },
  async ([, faulty, why]) => {
    const { output } = await spawnRefused({ ...environment, ...faulty });
    expect(output).toMatch(why);
    expect(output).not.toContain('    at ');
    expect(await count('users')).toBe(0);
  },
);

test('four replicas that start at once on an empty database make one administrator and one key', async () => {
  const four = await Promise.all(Array.from({ length: 4 }, start));
  const ready = await Promise.all(four.map(({ url }) => fetch(`${url}/health/ready`)));
  expect(ready.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const keys = await Promise.all(four.map(async ({ url }) => (await fetch(`${url}/.well-known/jwks.json`)).text()));
  expect(new Set(keys).size).toBe(1);
  expect(await count('users')).toBe(1);
  expect(await count('signing_keys')).toBe(1);
}, 60_000);

test('users whose registration was acknowledged survive kill -9', async () => {
  const [first, ...others] = replicas;
  if (!first) throw new Error('no replica');
  for (const other of others) await end(other);
  const survivors = await registerUntilKilled(first);
  const second = await start();
  await expectSurvivors(second.url, survivors, adminPassword);
  await end(second);
}, 60_000);

test('the password of an administrator is reset beside running replicas, and ends their sessions', async () => {
  const replica = await start();
  const signIn = (password: string): Promise<Response> =>
    fetch(`${replica.url}/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userName: 'admin', password }),
    });
  const { accessToken }: any = await (await signIn(adminPassword)).json();
  const me = (): Promise<Response> =>
    fetch(`${replica.url}/v1/users/me`, { headers: { authorization: `Bearer ${accessToken}` } });
  expect((await me()).status).toBe(200);
  const { out } = await runCli(environment, 'admin', 'reset', 'Admin');
  await expect.poll(async () => (await me()).status).toBe(401);
  expect((await signIn(adminPassword)).status).toBe(401);
  expect((await signIn(/password (\S+):/.exec(out)?.[1] ?? '')).status).toBe(200);
  const unknown = await runCli(environment, 'admin', 'reset', 'survivor-1');
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('Administrators are: admin.')]);
  await end(replica);
}, 60_000);

test('another master key is refused at start, in words', async () => {
  const { output } = await spawnRefused({ ...environment, MASTER_KEY: randomBytes(32).toString('base64') });
  expect(output).toContain('MASTER_KEY does not fit this database');
  expect(output).not.toContain('    at ');
}, 60_000);

async function count(table: string): Promise<number> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query(`select count(*)::int as count from ${table}`);
  await client.end();
  return rows[0].count;
}
