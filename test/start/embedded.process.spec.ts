import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { expectSurvivors, registerUntilKilled } from '../support/registrations.js';
import { runCli } from '../support/run-cli.js';
import { type Ended, type Process, spawnGatehouse, spawnRefused } from '../support/spawn-gatehouse.js';

// one folder through its whole life: the tests build on each other, since
// each start of PGlite takes seconds
const parent = mkdtempSync(join(tmpdir(), 'gatehouse-process-'));
const folder = join(parent, 'data');
const environment = { DATA_DIR: folder };
const read = (name: string): string => readFileSync(join(folder, name), 'utf8').trim();
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

const server = createServer();
let failed: Ended;
let first: Process;
let survivors: readonly string[] = [];

beforeAll(async () => {
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  failed = await spawnRefused({ ...environment, PORT: String(port) });
  server.close();
  first = await spawnGatehouse(environment);
}, 60_000);
afterAll(async () => {
  rmSync(parent, { recursive: true, force: true });
});

test('the first start makes a private folder with a key and the administrator in it', () => {
  expect(modeOf(folder)).toBe('700');
  expect(modeOf(join(folder, 'master.key'))).toBe('600');
  expect(modeOf(join(folder, 'first-admin-password'))).toBe('600');
  expect(Buffer.from(read('master.key'), 'base64')).toHaveLength(32);
});

test('a first start that fails on a taken port loses nothing: the next one says where the password is', async () => {
  expect(failed.output).toContain('EADDRINUSE');
  const body = JSON.stringify({ userName: 'admin', password: read('first-admin-password') });
  const headers = { 'content-type': 'application/json' };
  expect((await fetch(`${first.url}/v1/auth/login`, { method: 'POST', headers, body })).status).toBe(200);
});

test('it says where things are and what to try, and keeps the password to itself', async () => {
  // the lines for people come after the one for the log
  await expect.poll(() => first.output(), { timeout: 15_000 }).toContain('first session in README');
  const output = first.output();
  expect(output).toContain('Gatehouse is ready at');
  for (const name of ['pglite', 'master.key', 'first-admin-password']) expect(output).toContain(join(folder, name));
  expect(output).toContain('/health/ready');
  expect(output).toContain('npm run cli -- admin reset');
  expect(output).not.toContain(read('first-admin-password'));
  expect(output).not.toContain(read('master.key'));
});

test('a second process on the same folder is told who has it', async () => {
  const { output } = await spawnRefused(environment);
  expect(output).toContain(`${folder} is in use by another Gatehouse process: stop it first, or set DATA_DIR`);
}, 60_000);

test('a command that would need the folder is told to use the routes', async () => {
  const { code, err } = await runCli(environment, 'users', 'export');
  expect([code, err]).toEqual([1, expect.stringContaining('POST /v1/users/import takes the same rows')]);
});

test('users whose registration was acknowledged survive kill -9, and the second start keeps the key', async () => {
  const key = read('master.key');
  const password = read('first-admin-password');
  survivors = await registerUntilKilled(first);
  const second = await spawnGatehouse(environment);
  await expectSurvivors(second.url, survivors, password);
  expect([read('master.key'), read('first-admin-password')]).toEqual([key, password]);
  second.kill('SIGTERM');
  expect((await second.ended).code).toBe(0);
}, 60_000);

test('an administrator whose password is lost gets a new one by a command, and the file of the first is of no use', async () => {
  const { code, out } = await runCli(environment, 'admin', 'reset');
  expect([code, out]).toEqual([0, expect.stringMatching(/^admin, password \S{24}: shown this once/)]);
  rmSync(join(folder, 'first-admin-password'));
  const third = await spawnGatehouse(environment);
  await expectSurvivors(third.url, [], /password (\S+):/.exec(out)?.[1] ?? '');
  expect(third.output()).not.toContain('first-admin-password');
  third.kill('SIGTERM');
  await third.ended;
}, 60_000);

test('another master key is refused at start, in words', async () => {
  writeFileSync(join(folder, 'master.key'), Buffer.alloc(32, 7).toString('base64'));
  const { output } = await spawnRefused(environment);
  expect(output).toContain('MASTER_KEY does not fit this database');
  expect(output).not.toContain('    at ');
}, 60_000);
