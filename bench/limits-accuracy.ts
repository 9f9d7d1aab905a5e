/**
 * What a caller at five times its plan gets of four replicas, and what becomes of
 * another caller. See README.md.
 */
import { seedAccounts, signInAdmin } from './lib/accounts.ts';
import { createDatabase } from './lib/database.ts';
import { openLoop, type Outcome, roundRobin } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { startRedis } from './lib/redis.ts';
import { freePort, type Server, startReplica } from './lib/replica.ts';
import { createService, serviceRequest } from './lib/services.ts';
import { quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

const replicaCount = 4;
const politePerSecond = 40;

const options = readOptions({ limit: 600, window: 60, windows: 5, factor: 5, calm: 20 });
const { limit, window, windows, factor, calm } = options.numbers;
const database = await createDatabase(options.database);
const redis = await startRedis(options.loadCpu, await freePort());
const replicas: Server[] = [];
try {
  pin(process.pid, options.loadCpu);
  for (let at = 0; at < replicaCount; at++) {
    const env = { REDIS_URL: redis.url };
    replicas.push(await startReplica(options, { databaseUrl: database.url, env }));
  }
  await run();
} finally {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await redis.stop();
  await database.drop();
}

async function run(): Promise<void> {
  const [first] = replicas;
  if (!first) throw new Error('no replica');
  const [account] = await seedAccounts(first, database, 1);
  const { accessToken } = await signInAdmin(first);
  const path = `/v1/users/${account?.id}`;
  const greedyKey = await createService(first, accessToken, 'greedy', { read: { limit, windowSeconds: window } });
  const politeKey = await createService(first, accessToken, 'polite', {});
  const [greedy, polite] = [serviceRequest(path, greedyKey), serviceRequest(path, politeKey)];
  await send(polite, politePerSecond, 5);
  note(`the other caller alone for ${calm} s`);
  const before = await send(polite, politePerSecond, calm);
  note(`${windows} windows of ${window} s at ${factor} times the plan of ${limit}`);
  const startedAt = performance.now();
  const [flood, beside] = await Promise.all([
    send(greedy, (limit / window) * factor, window * windows),
    send(polite, politePerSecond, window * windows),
  ]);
  const after = await send(polite, politePerSecond, calm);
  report(flood, startedAt);
  reportOthers([...before, ...after], beside);
}

/** Spread evenly over the replicas, as a balancer would. */
async function send(request: string, perSecond: number, seconds: number): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const until = performance.now() + seconds * 1_000;
  const share = { perSecond: perSecond / replicaCount, until, next: roundRobin([request]) };
  await Promise.all(
    replicas.map(({ port }) => openLoop(port, { ...share, onDone: (outcome) => outcomes.push(outcome) })),
  );
  return outcomes;
}

function report(flood: readonly Outcome[], startedAt: number): void {
  const firstAt = Math.min(...flood.map(({ sentAt }) => sentAt));
  const rows = Array.from({ length: windows }, (_, at) => {
    const from = firstAt + at * window * 1_000;
    const own = flood.filter(({ sentAt }) => sentAt >= from && sentAt < from + window * 1_000);
    return rowOf(String(at + 1), own, 1);
  });
  printTable(
    `a plan of ${limit} in ${window} s, ${replicaCount} replicas, Redis; first request after ${Math.round(firstAt - startedAt)} ms`,
    [...rows, rowOf('all', flood, windows)],
  );
}

function rowOf(name: string, own: readonly Outcome[], count: number) {
  const passed = own.filter(({ answer }) => answer?.status === 200).length;
  const refused = own.filter(({ answer }) => answer?.status === 429).length;
  return {
    window: name,
    sent: own.length,
    'let through': passed,
    refused,
    'other or none': own.length - passed - refused,
    'off the plan': `${((passed / (limit * count) - 1) * 100).toFixed(2)} %`,
    target: '± 1 %',
  };
}

function reportOthers(quiet: readonly Outcome[], beside: readonly Outcome[]): void {
  const times = (of: readonly Outcome[]): number[] => of.map(({ sentAt, doneAt }) => doneAt - sentAt);
  const row = (name: string, of: readonly Outcome[], target = '') => ({
    'the other caller': name,
    requests: of.length,
    'other than 200': of.filter(({ answer }) => answer?.status !== 200).length,
    'p50 ms': quantile(times(of), 0.5).toFixed(2),
    'p99 ms': quantile(times(of), 0.99).toFixed(2),
    'p99 / alone': (quantile(times(of), 0.99) / quantile(times(quiet), 0.99)).toFixed(2),
    target,
  });
  printTable(`another service at ${politePerSecond} requests/s`, [
    row('alone, before and after', quiet),
    row('beside the greedy one', beside, '≤ 1.20'),
  ]);
}
