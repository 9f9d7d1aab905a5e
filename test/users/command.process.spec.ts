import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { toNdjson } from '../support/imports.js';
import { runCli, startCli } from '../support/run-cli.js';
import { movedUsers } from '../support/subjects.js';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'));
const databases: OwnDatabase[] = [];
const clients: pg.Client[] = [];

beforeAll(async () => {
  databases.push(await copyDatabase(), await copyDatabase());
  for (const { environment } of databases) {
    const client = new pg.Client({ connectionString: environment['DATABASE_URL'] });
    await client.connect();
    clients.push(client);
  }
});
afterAll(async () => {
  for (const client of clients) await client.end();
  for (const database of databases) await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const environment = (at = 0): Record<string, string> => databases[at]?.environment ?? {};
const file = (name: string, content?: string | Uint8Array): string => {
  const path = join(folder, name);
  if (content !== undefined) writeFileSync(path, content);
  return path;
};
const count = async (like: string): Promise<number> => {
  const found = await clients[0]?.query('select count(*)::int as n from users where user_name_key like $1', [like]);
  return found?.rows[0].n;
};
const rows = (prefix: string, length: number): Record<string, unknown>[] =>
  Array.from({ length }, (_, at) => ({
    externalId: `${prefix}-${at}`,
    userName: `${prefix}${at}`,
    firstName: at % 3 === 0 ? '=cmd()' : 'Ada',
    lastName: at % 5 === 0 ? 'O"Neill, Jr' : 'Ŀovelace',
    ...(at % 2 === 0 && { email: `${prefix}${at}@example.org`, emailVerified: at % 4 === 0 }),
    roles: at % 50 === 0 ? ['admin', 'user'] : ['user'],
    status: at % 7 === 0 ? 'deactivated' : 'active',
    createdAt: new Date(1_500_000_000_123 + at * 977).toISOString(),
    ...(at % 4 !== 0 && { passwordHash: '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i' }),
  }));

test('an import that is killed half way loses nothing and doubles nothing when it is run again', async () => {
  const total = 15_000;
  const source = file('many.ndjson', toNdjson(rows('many', total)));
  const { child, ended } = startCli(environment(), 'users', 'import', source);
  while ((await count('many%')) === 0) await sleep(5);
  child.kill('SIGKILL');
  await ended;
  const before = await count('many%');
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(total);
  const { code, err } = await runCli(environment(), 'users', 'import', source);
  expect([code, err]).toEqual([
    0,
    expect.stringContaining(`${total} rows: ${total - before} created, ${before} there`),
  ]);
  expect(await count('many%')).toBe(total);
}, 60_000);

test('ctrl-C ends it after the rows that are being written and says how to go on', async () => {
  const total = 15_000;
  const source = file('stopped.ndjson', toNdjson(rows('stopped', total)));
  const { child, ended } = startCli(environment(), 'users', 'import', source, '--report', file('report.ndjson'));
  while ((await count('stopped%')) === 0) await sleep(5);
  child.kill('SIGINT');
  const { code, err } = await ended;
  expect([code, err]).toEqual([130, expect.stringContaining('Run the same command again to go on')]);
  const made = await count('stopped%');
  expect(made).toBeLessThan(total);
  expect(err).toContain(`${made} rows: ${made} created`);
  expect(readFileSync(file('report.ndjson'), 'utf8').trimEnd().split('\n')).toHaveLength(made);
}, 60_000);

test('what was exported and imported elsewhere is the same to the byte', async () => {
  const moved = file('moved.ndjson', toNdjson(movedUsers(100).map(({ row }) => row)));
  expect((await runCli(environment(), 'users', 'import', moved)).code).toBe(0);
  const first = await runCli(environment(), 'users', 'export', file('first.csv'), '--with-hashes');
  expect([first.code, first.err]).toEqual([0, expect.stringMatching(/^\d+ users, SHA-256 [0-9a-f]{64}\n$/)]);
  expect(statSync(file('first.csv')).mode & 0o777).toBe(0o600);
  expect((await runCli(environment(1), 'users', 'import', file('first.csv'))).code).toBe(0);
  const second = await runCli(environment(1), 'users', 'export', '--with-hashes', '--format', 'csv');
  expect(second).toEqual({ code: 0, err: first.err, out: readFileSync(file('first.csv'), 'utf8') });
  const [here, there] = await Promise.all(
    [0, 1].map((at) => runCli(environment(at), 'users', 'export', '--with-hashes', '--format', 'ndjson')),
  );
  expect(there).toEqual(here);
}, 120_000);

test('columns of any name are mapped, rows that are refused are reported and make the exit code 2', async () => {
  const text = 'Login;Vorname;Nachname;Notiz\nanton;Anton;Adler;x\nbad name;B;C;y\n';
  const source = file('old.csv.gz', gzipSync(text));
  const map = ['Login=userName', 'Vorname=firstName', 'Nachname=lastName', 'Notiz='].flatMap((one) => ['--map', one]);
  const flags = ['--delimiter', ';', '--report', file('old.report')];
  expect((await runCli(environment(), 'users', 'import', source, ...map, ...flags)).code).toBe(2);
  expect(await count('anton')).toBe(1);
  const [first, second] = readFileSync(file('old.report'), 'utf8').trimEnd().split('\n');
  expect(JSON.parse(first ?? '')).toMatchObject({ row: 1, status: 'created' });
  expect(JSON.parse(second ?? '')).toMatchObject({ row: 2, status: 'refused', errors: [{ path: 'userName' }] });
});

test('a dry run of standard input finds what rows would take from each other, and writes nothing', async () => {
  const { child, ended } = startCli(environment(), 'users', 'import', '-', '--dry-run');
  const [one, two] = rows('dry', 2);
  child.stdin?.end(toNdjson([one, one, { ...two, email: 'DRY0@example.org' }]));
  const { code, err } = await ended;
  expect([code, err]).toEqual([2, expect.stringContaining('nothing was written: 3 rows: 1 created')]);
  expect(await count('dry%')).toBe(0);
});
