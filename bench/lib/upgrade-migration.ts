import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { seedAccounts, signIn, userPassword } from './accounts.ts';
import { newTraffic, drive, failedOf, type Traffic, whichOf } from './balancer.ts';
import { onEnd } from './clean-up.ts';
import { jsonRequest, meRequest } from './connection.ts';
import { createDatabase, type Database } from './database.ts';
import { fillUsers } from './fill-users.ts';
import type { Options } from './options.ts';
import { startReplica } from './replica.ts';
import { quantile } from './statistics.ts';
import { note } from './table.ts';
import { runCli } from './upgrade-cli.ts';

type Row = Readonly<Record<string, string | number>>;
type Probe = { readonly name: string; readonly traffic: Traffic; readonly ended: Promise<void> };

const calmMs = 1_500;

/**
 * What requests at a replica of the old version wait for, and which fail, while the new version
 * migrates a database of many users.
 * @param reader whether somebody has read `users` in a transaction that stays open for 5 s, as a
 * dump does for hours
 */
export async function measureMigration(options: Options, old: string, rows: number, reader: boolean): Promise<Row[]> {
  const database = await createDatabase(options.database);
  onEnd(() => database.drop());
  await runCli({ folder: old, databaseUrl: database.url }, 'migrate');
  const server = await startReplica({ ...options, app: old }, { databaseUrl: database.url, cpu: '0-1' });
  const accounts = await seedAccounts(server, database, 4);
  const tokens = await signIn(server.port, accounts.slice(0, 4));
  note(`${rows} users`);
  const [hash] = await database.query<{ hash: string }>('select password_hash as hash from users limit 1');
  await fillUsers(database, rows, hash?.hash ?? '');
  const probes = startProbes(
    server.port,
    tokens.map(({ accessToken }) => accessToken),
    accounts[3]?.userName ?? '',
  );
  await sleep(calmMs);
  const reading = reader ? readFor(database, 5_000) : undefined;
  const startedAt = performance.now();
  await runCli({ folder: options.app, databaseUrl: database.url }, 'migrate');
  const seconds = (performance.now() - startedAt) / 1_000;
  await reading;
  await sleep(calmMs);
  for (const { traffic } of probes) traffic.isOver = true;
  await Promise.all(probes.map(({ ended }) => ended));
  await server.stop();
  return probes.map(({ name, traffic }) => ({
    users: rows,
    beside: reader ? 'an open reader' : 'nobody',
    'migrate, s': seconds.toFixed(1),
    requests: name,
    sent: traffic.latenciesMs.length,
    failed: failedOf(traffic),
    which: whichOf(traffic),
    'p50, ms': quantile(traffic.latenciesMs, 0.5).toFixed(1),
    'slowest, ms': Math.max(...traffic.latenciesMs).toFixed(0),
  }));
}

function startProbes(port: number, tokens: readonly string[], userName: string): readonly Probe[] {
  const [reading = '', writing = '', listing = ''] = tokens;
  const start = (name: string, next: () => string): Probe => {
    const traffic = newTraffic();
    return { name, traffic, ended: drive(port, traffic, next) };
  };
  let count = 0;
  const login = jsonRequest('POST', '/v1/auth/login', { userName, password: userPassword });
  return [
    start('GET /v1/users/me', () => meRequest(reading)),
    start('PATCH /v1/users/me', () => jsonRequest('PATCH', '/v1/users/me', { firstName: `p${count++}` }, writing)),
    start('GET /v1/auth/sessions', () => jsonRequest('GET', '/v1/auth/sessions', undefined, listing)),
    start('POST /v1/auth/login', () => login),
  ];
}

async function readFor({ url }: Database, milliseconds: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('begin');
  await client.query('select count(*) from users where false');
  void (async () => {
    await sleep(milliseconds);
    await client.query('commit');
    await client.end();
  })();
}
