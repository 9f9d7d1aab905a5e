/**
 * What a million live revocations cost: start-up, memory, and throughput of `me`. See README.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { meRequest } from './lib/connection.ts';
import { createDatabase, type Database } from './lib/database.ts';
import { measureInTurns } from './lib/interleaved.ts';
import { readOptions } from './lib/options.ts';
import { pin, residentMb } from './lib/process-usage.ts';
import { type Server, startReplica } from './lib/replica.ts';
import { median, spread } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

type Start = { readonly readyMs: number; readonly restMb: number; readonly peakMb: number };
type Side = { readonly database: Database; readonly starts: Start[]; perSecond: number[]; cpuMicros: number[] };

const options = readOptions({ rows: 1_000_000, starts: 5, rounds: 15, seconds: 2, users: 200 });
const { rows, starts, rounds, seconds, users } = options.numbers;
const [without, within] = [await side(), await side()];
try {
  pin(process.pid, options.loadCpu);
  await prepare();
  for (let time = 0; time < starts; time++) {
    for (const one of time % 2 === 0 ? [without, within] : [within, without]) await measureStart(one);
  }
  note('throughput');
  await measureThroughput();
  report();
} finally {
  await without.database.drop();
  await within.database.drop();
}

async function side(): Promise<Side> {
  return { database: await createDatabase(options.database), starts: [], perSecond: [], cpuMicros: [] };
}

/** The first start of a database makes the schema, which no later start does. */
async function prepare(): Promise<void> {
  for (const { database } of [without, within]) {
    const replica = await startReplica(options, { databaseUrl: database.url });
    await replica.stop();
  }
  note(`inserting ${rows} rows`);
  await within.database.query(
    `insert into revocations (kind, subject, cause, expires_at)
      select 'token', gen_random_uuid(), 'token-revoked', now() + interval '1 hour' from generate_series(1, $1::int)`,
    [rows],
  );
  await within.database.query('vacuum analyze revocations');
}

async function measureStart(one: Side): Promise<void> {
  const replica = await startReplica(options, { databaseUrl: one.database.url });
  // what loading left behind is collected, or not, within a few seconds
  await sleep(3_000);
  const memory = residentMb(replica.pid);
  one.starts.push({ readyMs: replica.readyMs, restMb: memory.now, peakMb: memory.peak });
  note(`ready after ${replica.readyMs.toFixed(0)} ms, ${memory.now.toFixed(0)} MB, peak ${memory.peak.toFixed(0)}`);
  await replica.stop();
}

async function measureThroughput(): Promise<void> {
  const contenders = await Promise.all([contender(without), contender(within)]);
  const pinAll = async (): Promise<void> => {
    for (const { own } of contenders) await own.database.pinBackends(options.loadCpu);
  };
  const measured = await measureInTurns(contenders, { connections: 64, seconds, rounds, onWarm: pinAll });
  for (const [at, { own }] of contenders.entries()) {
    own.perSecond.push(...(measured[at] ?? []).map(({ perSecond }) => perSecond));
    own.cpuMicros.push(...(measured[at] ?? []).map(({ cpuMicros }) => cpuMicros));
  }
  await Promise.all(contenders.map(({ server }) => server.stop()));
}

async function contender(own: Side): Promise<{ own: Side; server: Server; requests: readonly string[] }> {
  const server = await startReplica(options, { databaseUrl: own.database.url });
  const accounts = await seedAccounts(server, own.database, users);
  const tokens = await signIn(server.port, accounts);
  return { own, server, requests: tokens.map(({ accessToken }) => meRequest(accessToken)) };
}

function report(): void {
  const row = (name: string, values: (one: Side) => readonly number[], digits: number, target: string) => {
    const [base, loaded] = [values(without), values(within)];
    return {
      measure: name,
      without: spread(base, digits),
      [`with ${rows}`]: spread(loaded, digits),
      difference: (median(loaded) - median(base)).toFixed(digits),
      ratio: spread(
        loaded.map((value, at) => value / (base[at] ?? Number.NaN)),
        2,
      ),
      target,
    };
  };
  printTable(`${rows} live revocations, ${starts} starts, ${rounds} rounds of ${seconds} s of GET /v1/users/me`, [
    row('start to ready, s', (one) => one.starts.map(({ readyMs }) => readyMs / 1_000), 2, '< 5 s more'),
    row('memory 3 s after start, MB', (one) => one.starts.map(({ restMb }) => restMb), 0, '< 150 MB more'),
    row('peak memory of the start, MB', (one) => one.starts.map(({ peakMb }) => peakMb), 0, ''),
    row('me, requests/s', (one) => one.perSecond, 0, 'ratio 0.95–1.05'),
    row('me, CPU µs/request', (one) => one.cpuMicros, 0, 'ratio 0.95–1.05'),
  ]);
}
