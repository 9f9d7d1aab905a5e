import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';
import { afterEach, expect, test } from 'vitest';

import { emptyDatabase } from '../support/empty-database.js';
import { expectSurvivors, registerUntilKilled } from '../support/registrations.js';
import { type Process, spawnGatehouse, spawnRefused } from '../support/spawn-gatehouse.js';

const adminPassword = 'tin whistle at dawn';
const undo: (() => unknown)[] = [];

/** What replicas of one service share. */
async function sharedEnvironment(): Promise<{ DATABASE_URL: string } & Record<string, string>> {
  const database = await emptyDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-process-'));
  undo.push(database.drop, () => rmSync(folder, { recursive: true, force: true }));
  return {
    NODE_ENV: 'production',
    DATABASE_URL: database.url,
    DATA_DIR: folder,
    MASTER_KEY: randomBytes(32).toString('base64'),
    ADMIN_PASSWORD: adminPassword,
  };
}

async function spawnUndone(environment: Record<string, string>): Promise<Process> {
  const started = await spawnGatehouse(environment);
  undo.unshift(async () => {
    started.kill('SIGKILL');
    await started.ended;
  });
  return started;
}

afterEach(async () => {
  for (const step of undo.splice(0)) await step();
});

test('users whose registration was acknowledged survive kill -9', async () => {
  const environment = await sharedEnvironment();
  const survivors = await registerUntilKilled(await spawnUndone(environment));
  const second = await spawnUndone(environment);
  await expectSurvivors(second.url, survivors, adminPassword);
}, 60_000);

test('four replicas that start at once on an empty database make one administrator and one key', async () => {
  const environment = await sharedEnvironment();
  const replicas = await Promise.all(Array.from({ length: 4 }, () => spawnUndone(environment)));
  const ready = await Promise.all(replicas.map(({ url }) => fetch(`${url}/health/ready`)));
  expect(ready.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const keys = await Promise.all(replicas.map(async ({ url }) => (await fetch(`${url}/.well-known/jwks.json`)).text()));
  expect(new Set(keys).size).toBe(1);
  expect(await count(environment.DATABASE_URL, 'users')).toBe(1);
  expect(await count(environment.DATABASE_URL, 'signing_keys')).toBe(1);
}, 60_000);

test('another master key is refused at start, in words', async () => {
  const environment = await sharedEnvironment();
  const { kill, ended } = await spawnUndone(environment);
  kill('SIGTERM');
  await ended;
  const { output } = await spawnRefused({ ...environment, MASTER_KEY: randomBytes(32).toString('base64') });
  expect(output).toContain('MASTER_KEY does not fit this database');
  expect(output).not.toContain('    at ');
}, 60_000);

async function count(url: string, table: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(`select count(*)::int as count from ${table}`);
  await client.end();
  return rows[0].count;
}
