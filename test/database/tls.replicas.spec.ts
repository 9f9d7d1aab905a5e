import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { openDatabase } from '#libs/platform/database';
import { loadConfig } from '#libs/platform/config';
import { schema } from '#libs/migrations';

import { newPerson, type Person } from '../support/people.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const tls = resolve(import.meta.dirname, '../support/tls');
const authority = join(tls, 'ca.crt');
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'));
const urlFile = join(folder, 'database_url');

let server: PostgresServer;
let admin: pg.Client;
let gatehouse: Gatehouse;
let person: Person;

/** Over the network it lets the service in by TLS alone, with a password. */
const hba = [
  'host all postgres 127.0.0.1/32 trust',
  'hostssl all all 127.0.0.1/32 scram-sha-256',
  'local all all trust',
];

const port = (): string => new URL(server.url).port;
const urlOf = (password: string, query: string, host = 'localhost'): string =>
  `postgres://gatehouse:${password}@${host}:${port()}/gatehouse?${query}`;
const verified = `sslmode=verify-full&sslrootcert=${encodeURIComponent(authority)}`;

async function connectAdmin(): Promise<void> {
  admin = new pg.Client({ connectionString: server.url });
  admin.on('error', () => undefined);
  await admin.connect();
}

beforeAll(async () => {
  server = await startPostgres({
    settings: { ssl: 'on' },
    hasSocket: true,
    hba,
    files: [join(tls, 'server.crt'), join(tls, 'server.key')],
  });
  await connectAdmin();
  await admin.query(`create role gatehouse login password 'first'`);
  await admin.query('create database gatehouse owner gatehouse');
  writeFileSync(urlFile, `${urlOf('first', verified)}\n`);
  const environment = { DATABASE_URL_FILE: urlFile, DATA_DIR: folder };
  gatehouse = await startGatehouse({}, { environment, drop: async () => undefined });
  person = await newPerson(gatehouse);
});
afterAll(async () => {
  await gatehouse?.stop();
  await admin?.end();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ready = async (): Promise<number> => (await gatehouse.api.get('/health/ready')).status;
const rename = (firstName: string) => gatehouse.api.patch('/v1/users/me', { token: person.token, body: { firstName } });
const notNow = async (): Promise<unknown[]> => {
  const { status, body, headers } = await rename('Eve');
  return [status, body.code, headers.get('retry-after')];
};
const unavailable = [503, 'unavailable', '2'];

test('every connection has the TLS that the URL asks for, and the log says how it is connected', async () => {
  const { rows } = await admin.query<{ name: string; ssl: boolean }>(
    `select distinct application_name as name, ssl from pg_stat_activity join pg_stat_ssl using (pid)
     where usename = 'gatehouse' order by name`,
  );
  expect(rows).toEqual([
    { name: 'gatehouse', ssl: true },
    { name: 'gatehouse listener', ssl: true },
  ]);
  const lines = gatehouse.log.filter(({ event }) => event === 'connected to PostgreSQL');
  expect(lines).toEqual([
    expect.objectContaining({ host: 'localhost', database: 'gatehouse', tls: 'TLSv1.3, verify-full', pooled: false }),
  ]);
  expect(JSON.stringify(gatehouse.log)).not.toContain('first@');
});

/** Whether a connection of the pool has TLS. */
async function connects(url: string): Promise<boolean> {
  const orm = await openDatabase(loadConfig({ DATABASE_URL: url }), schema);
  try {
    const [row] = await orm.em
      .fork()
      .execute<{ ssl: boolean }[]>('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
    return row?.ssl === true;
  } finally {
    await orm.close(true);
  }
}

test.for([
  ['sslmode=require', 'localhost'],
  ['sslmode=prefer', 'localhost'],
  ['ssl=no-verify', '127.0.0.1'],
  [`sslmode=verify-ca&sslrootcert=${encodeURIComponent(authority)}`, '127.0.0.1'],
  [verified, 'nowhere.invalid,localhost'],
] as const)('with %s at %s there is a connection, by TLS', async ([query, host]) => {
  expect(await connects(urlOf('first', query, host.includes(',') ? `nowhere.invalid:1,localhost` : host))).toBe(true);
});

const foreign = encodeURIComponent(join(tls, 'other-ca.crt'));
test.for([
  [`sslmode=verify-full&sslrootcert=${foreign}`, 'localhost', 'self-signed|unable to'],
  // the certificate is of another name
  [verified, '127.0.0.1', 'IP: 127.0.0.1'],
  ['sslmode=verify-full', 'localhost', 'self-signed|unable to'],
  ['sslmode=verify-full&sslrootcert=nowhere.crt', 'localhost', 'sslrootcert'],
  ['sslmode=disable', 'localhost', 'no encryption'],
] as const)('with %s at %s there is none', async ([query, host, why]) => {
  await expect(connects(urlOf('first', query, host))).rejects.toThrow(new RegExp(why));
});

test('without TLS at the server there is no start when the URL asks for it', async () => {
  const url = new URL(inject('postgresUrl'));
  for (const mode of ['require', 'no-verify', 'verify-full']) {
    url.searchParams.set('sslmode', mode);
    await expect(connects(url.href)).rejects.toThrow('does not support SSL');
  }
  url.searchParams.set('sslmode', 'prefer');
  expect(await connects(url.href)).toBe(false);
});

test('a Unix socket works as the host', async () => {
  expect(
    await connects(`postgres://gatehouse@/gatehouse?host=${encodeURIComponent(server.folder)}&port=${port()}`),
  ).toBe(false);
});

describe('when the password of the database is changed', () => {
  test('requests are unavailable until the file has the new one, which is read without a restart', async () => {
    await admin.query(`alter role gatehouse password 'second'`);
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'gatehouse'`);
    await expect.poll(notNow).toEqual(unavailable);
    writeFileSync(urlFile, urlOf('second', verified));
    await expect.poll(ready, { timeout: 15_000 }).toBe(200);
    expect((await rename('Ada')).status).toBe(200);
  });
});

describe('while the database takes no writes', () => {
  test('by its default: ready is red, writes are unavailable, and both come back by themselves', async () => {
    await admin.query('alter database gatehouse set default_transaction_read_only = on');
    await expect.poll(ready, { timeout: 5_000 }).toBe(503);
    await expect.poll(notNow, { timeout: 5_000 }).toEqual(unavailable);
    await admin.query('alter database gatehouse reset default_transaction_read_only');
    await expect.poll(ready, { timeout: 5_000 }).toBe(200);
    expect((await rename('Ada')).status).toBe(200);
  });

  test('because it is a standby: nothing is asked of it, until it is promoted', async () => {
    await admin.end();
    await server.restart('standby');
    await connectAdmin();
    await expect.poll(ready, { timeout: 5_000 }).toBe(503);
    expect(await notNow()).toEqual(unavailable);
    await admin.query('select pg_promote()');
    await expect.poll(ready, { timeout: 15_000 }).toBe(200);
    expect((await rename('Ada')).status).toBe(200);
  });
});
