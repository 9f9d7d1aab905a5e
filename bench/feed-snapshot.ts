/**
 * What the first walk through all that is revoked costs Gatehouse: for one receiver, and for many
 * that begin together. See README.md.
 */
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

import { seedAccounts, signIn, signInAdmin } from './lib/accounts.ts';
import { meRequest } from './lib/connection.ts';
import { createDatabase, type Database } from './lib/database.ts';
import { openLoop, roundRobin } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { cpuSeconds, pin, residentMb } from './lib/process-usage.ts';
import { type Server, startReplica } from './lib/replica.ts';
import { createVerifyingService } from './lib/services.ts';
import { quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';
import { startVerifier } from './lib/verifiers.ts';

/** As the verifier asks for them. */
const pageEntries = 2_000;
/** A walk that others share is kept for 10 s; the next measurement must not have it. */
const forgottenMs = 11_000;
const calmSeconds = 5;
/** Many cost the server this many times the CPU of one at most. */
const target = 2;

const options = readOptions({ few: 100_000, many: 1_000_000, receivers: 20, rate: 100 });
const { few, many, receivers, rate } = options.numbers;
/** Of the same bytes: many who read a page must not cost this process as much as the server. */
const seen = new Map<string, { readonly bytes: Buffer; readonly page: Page }>();

const failures: string[] = [];
const rows = [];
for (const entries of [few, many]) {
  const database = await createDatabase(options.database);
  try {
    rows.push(...(await measureWith(database, entries)));
  } finally {
    await database.drop();
  }
}
printTable(`First walks, pages of ${pageEntries} entries; me at ${rate}/s beside them`, rows);
console.log(`target: CPU of ${receivers} ≤ ${target} times that of one`);
console.log(failures.length === 0 ? 'as promised' : `MISSED: ${failures.join('; ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;

async function measureWith(database: Database, entries: number) {
  const server = await startReplica(options, { databaseUrl: database.url });
  try {
    await database.query(
      `insert into revocations (kind, subject, cause, expires_at)
        select 'token', gen_random_uuid(), 'token-revoked', now() + interval '1 hour' from generate_series(1, $1::int)`,
      [entries],
    );
    await database.query('vacuum analyze revocations');
    const key = await createVerifyingService(server, (await signInAdmin(server)).accessToken, `bench-${entries}`);
    const tokens = await signIn(server.port, await seedAccounts(server, database, 20));
    await database.pinBackends(options.loadCpu);
    pin(process.pid, options.loadCpu);
    const requests = tokens.map(({ accessToken }) => meRequest(accessToken));
    // what was read at the start of all entries is still being taken in
    await sleep(3_000);
    const calm = await beside(server, requests, () => sleep(calmSeconds * 1_000));
    const plain = await measure(server, requests, () => [walk(server, key, 'identity')]);
    const one = await measure(server, requests, () => [walk(server, key, 'gzip')]);
    const all = await measure(server, requests, () =>
      Array.from({ length: receivers }, () => walk(server, key, 'gzip')),
    );
    const ratio = all.cpu / one.cpu;
    if (!(ratio <= target)) failures.push(`${entries} entries: ${ratio.toFixed(1)} times the CPU of one`);
    const wrong = [plain, one, all].some(({ walks }) => walks.some((found) => found.entries < entries));
    if (wrong) failures.push(`${entries} entries: not all were told`);
    const calmP99 = quantile(calm.latenciesMs, 0.99).toFixed(1);
    return [
      rowOf(entries, 'one, as it is', plain, calmP99),
      rowOf(entries, 'one, gzip', one, calmP99),
      rowOf(entries, `${receivers}, gzip (CPU × ${ratio.toFixed(1)})`, all, calmP99),
      await rowOfVerifier(server, key, entries),
    ];
  } finally {
    await server.stop();
  }
}

type Walk = { readonly entries: number; readonly bytes: number; readonly seconds: number };
type Measured = {
  readonly walks: readonly Walk[];
  readonly seconds: number;
  readonly cpu: number;
  readonly peakMb: number;
  readonly meMs: readonly number[];
};

async function measure(
  server: Server,
  requests: readonly string[],
  start: () => readonly Promise<Walk>[],
): Promise<Measured> {
  await sleep(forgottenMs);
  const before = cpuSeconds(server.pid);
  const startedMs = performance.now();
  let walks: readonly Walk[] = [];
  let meanwhile = 0;
  const { latenciesMs } = await beside(server, requests, async () => {
    walks = await Promise.all(start());
    meanwhile = cpuSeconds(server.pid) - before;
  });
  note(`${walks.length} walks in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
  return {
    walks,
    seconds: Math.max(...walks.map(({ seconds }) => seconds)),
    cpu: meanwhile,
    peakMb: residentMb(server.pid).peak,
    meMs: latenciesMs,
  };
}

/** `me` at a steady rate until the work is done. */
async function beside(
  { port }: Server,
  requests: readonly string[],
  work: () => Promise<unknown>,
): Promise<{ latenciesMs: readonly number[] }> {
  const latenciesMs: number[] = [];
  const next = roundRobin(requests);
  let isOver = false;
  const loading = (async () => {
    while (!isOver) {
      const until = performance.now() + 250;
      await openLoop(port, {
        perSecond: rate,
        until,
        next,
        onDone: ({ sentAt, doneAt, answer }) => latenciesMs.push(answer?.status === 200 ? doneAt - sentAt : Infinity),
      });
    }
  })();
  await work();
  isOver = true;
  await loading;
  return { latenciesMs };
}

/** Reads all pages, one after the other, and does as little as it can with them. */
async function walk(server: Server, key: string, coding: 'gzip' | 'identity'): Promise<Walk> {
  const startedMs = performance.now();
  let [entries, bytes] = [0, 0];
  let query = '';
  for (;;) {
    const address = `${server.url}/v1/auth/revocations?limit=${pageEntries}${query}`;
    const body = await read(address, { 'x-service-key': key, 'accept-encoding': coding });
    bytes += body.length;
    const page = pageOf(body);
    entries += page.entries;
    if (page.next === undefined) break;
    query = `&page=${encodeURIComponent(page.next)}`;
  }
  return { entries, bytes, seconds: (performance.now() - startedMs) / 1_000 };
}

function read(address: string, headers: Readonly<Record<string, string>>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    get(address, { headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      answer.on('end', () => {
        const body = Buffer.concat(chunks);
        if (answer.statusCode === 200) resolve(body);
        else reject(new Error(`${address}: ${answer.statusCode} ${body.toString()}`));
      });
    }).on('error', reject);
  });
}

type Page = { readonly entries: number; readonly next: string | undefined };
function pageOf(body: Buffer): Page {
  const name = `${body.length} ${body.subarray(-64).toString('base64')}`;
  const known = seen.get(name);
  if (known?.bytes.equals(body)) return known.page;
  const text = (body[0] === 0x1f ? gunzipSync(body) : body).toString('latin1');
  const { length } = text.split('"kind":');
  const page = { entries: length - 1, next: /"nextPage":"([^"]+)"\}$/.exec(text)?.[1] };
  if (seen.size > 100) seen.clear();
  seen.set(name, { bytes: body, page });
  return page;
}

function rowOf(entries: number, receiver: string, { walks, seconds, cpu, peakMb, meMs }: Measured, calmP99: string) {
  return {
    entries,
    receivers: receiver,
    seconds: seconds.toFixed(2),
    'CPU of the server, s': cpu.toFixed(2),
    'MB sent to each': ((walks[0]?.bytes ?? 0) / 2 ** 20).toFixed(1),
    'me p99, ms (calm)': `${quantile(meMs, 0.99).toFixed(1)} (${calmP99})`,
    'peak of the server, MB': peakMb.toFixed(0),
  };
}

/** The real one, with all of it in memory. */
async function rowOfVerifier(server: Server, key: string, entries: number) {
  await sleep(forgottenMs);
  const before = cpuSeconds(server.pid);
  const startedMs = performance.now();
  const verifier = startVerifier(options.app, key, { url: server.url });
  try {
    // waits for 10 s at most
    let view = await verifier.ask('ready', {});
    while (view.entries < entries && performance.now() - startedMs < 60_000) view = await verifier.ask('ready', {});
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(2);
    if (view.entries < entries) failures.push(`a verifier has ${view.entries} of ${entries} entries`);
    const { residentMb: own } = await verifier.ask('view', {});
    return {
      entries,
      receivers: `a verifier's process, ${own.toFixed(0)} MB`,
      seconds,
      'CPU of the server, s': (cpuSeconds(server.pid) - before).toFixed(2),
      'MB sent to each': '',
      'me p99, ms (calm)': '',
      'peak of the server, MB': residentMb(server.pid).peak.toFixed(0),
    };
  } finally {
    await verifier.stop();
  }
}
