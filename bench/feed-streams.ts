/** What open streams of the feed cost, and how soon all hear of a revocation. See README.md. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn, signInAdmin, type Tokens } from './lib/accounts.ts';
import { Connection, jsonRequest, meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import type { Heard } from './lib/feed-listeners.ts';
import { openLoop } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { cpuSeconds, pin, residentMb } from './lib/process-usage.ts';
import { startReplica } from './lib/replica.ts';
import { quantile } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ streams: 5_000, seconds: 20, rate: 200, revocations: 20 });
const { streams, seconds, rate, revocations } = options.numbers;
const database = await createDatabase(options.database);
const bothCores = `${options.serverCpu},${options.loadCpu}`;
const server = await startReplica(options, {
  databaseUrl: database.url,
  cpu: bothCores,
  env: { MAX_CONNECTIONS: '20000', MAX_CONNECTIONS_PER_ADDRESS: '20000', MAX_REVOCATION_STREAMS: '10000' },
});
const now = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;
try {
  await run();
} finally {
  await server.stop();
  await database.drop();
}
process.exit(0);

async function run(): Promise<void> {
  const key = await createReader((await signInAdmin(server)).accessToken);
  // two rounds of revocations
  const signedIn = [...(await signIn(server.port, await seedAccounts(server, database, 2 * revocations + 20)))];
  const readers = signedIn.splice(0, 20).map(({ accessToken }) => accessToken);
  pin(server.pid, options.serverCpu);
  pin(process.pid, options.loadCpu);
  await database.pinBackends(options.loadCpu);
  const calm = await measureMe('none', readers);
  const before = residentMb(server.pid).now;
  const listeners = fork(`${import.meta.dirname}/lib/feed-listeners.ts`, [String(server.port), String(streams), key]);
  const openedAt = performance.now();
  await once(listeners, 'message');
  const openingSeconds = (performance.now() - openedAt) / 1_000;
  const hear = async ({ accessToken, sessionId }: Tokens): Promise<Heard & { readonly ms: number }> => {
    listeners.send({ subject: sessionId });
    const connection = await Connection.open(server.port);
    await sleep(50);
    const { status } = await connection.send(jsonRequest('POST', '/v1/auth/logout', {}, accessToken));
    const answeredAt = now();
    connection.close();
    if (status !== 204) throw new Error(`log-out: ${status}`);
    const [heard]: [Heard] = (await once(listeners, 'message')) as [Heard];
    return { ...heard, ms: heard.lastAt - answeredAt };
  };
  const open = await measureMe(`${streams} open`, readers);
  const alone = await hearAll(signedIn.splice(0, revocations), hear);
  listeners.send({ slow: true });
  await sleep(1_000);
  const beside = await hearAll(signedIn.splice(0, revocations), hear);
  const slow = await measureMe(`${streams} open, one reads a byte a second`, readers);
  const { now: after, peak } = residentMb(server.pid);
  printTable('`me` beside open streams', [calm, open, slow]);
  printTable('From the answer of a log-out until the last stream has heard of it', [
    { streams, ...alone },
    { streams: `${streams}, one reads a byte a second`, ...beside },
  ]);
  const kb = ((after - before) * 1024) / streams;
  printTable('The service', [
    {
      streams,
      'opened in, s': openingSeconds.toFixed(1),
      'MB before': before.toFixed(0),
      after: after.toFixed(0),
      most: peak.toFixed(0),
      'kB a stream': kb.toFixed(1),
    },
  ]);
  listeners.kill();
}

async function createReader(adminToken: string): Promise<string> {
  const name = 'bench-listener';
  const answer = await fetch(`${server.url}/v1/services`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      name,
      scopes: ['revocations:read'],
      plan: { read: { limit: 1_000_000, windowSeconds: 60 } },
    }),
  });
  if (answer.status !== 201) throw new Error(`service: ${answer.status} ${await answer.text()}`);
  return `${name}.${((await answer.json()) as { secret: string }).secret}`;
}

type Row = Readonly<Record<string, string | number>>;

async function measureMe(phase: string, tokens: readonly string[]): Promise<Row> {
  const latencies: number[] = [];
  let failures = 0;
  let turn = 0;
  const usedBefore = cpuSeconds(server.pid);
  await openLoop(server.port, {
    perSecond: rate,
    until: performance.now() + seconds * 1_000,
    next: () => meRequest(tokens[turn++ % tokens.length] ?? ''),
    onDone: ({ sentAt, doneAt, answer }) => {
      latencies.push(doneAt - sentAt);
      if (answer?.status !== 200) failures++;
    },
  });
  const busy = (cpuSeconds(server.pid) - usedBefore) / seconds;
  const [p50, p99, longest] = [quantile(latencies, 0.5), quantile(latencies, 0.99), Math.max(...latencies)];
  const took = { 'p50, ms': p50.toFixed(2), 'p99, ms': p99.toFixed(2), 'longest, ms': longest.toFixed(1) };
  return { streams: phase, requests: latencies.length, ...took, failures, 'core busy': `${(busy * 100).toFixed(0)} %` };
}

async function hearAll(
  victims: readonly Tokens[],
  hear: (victim: Tokens) => Promise<Heard & { readonly ms: number }>,
): Promise<Row> {
  const all: (Heard & { readonly ms: number })[] = [];
  for (const victim of victims) all.push(await hear(victim));
  const times = all.map(({ ms }) => ms);
  return {
    revocations: all.length,
    'heard by all': all.filter(({ heard }) => heard >= streams).length,
    'p50, ms': quantile(times, 0.5).toFixed(0),
    'longest, ms': Math.max(...times).toFixed(0),
    target: '≤ 1,000',
    'streams ended': all.at(-1)?.ended ?? 0,
  };
}
