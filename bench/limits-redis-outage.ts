/** Redis killed, restarted, paused and resumed under load. See README.md. */
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signInAdmin } from './lib/accounts.ts';
import { createDatabase } from './lib/database.ts';
import { openLoop, type Outcome, roundRobin } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { startRedis } from './lib/redis.ts';
import { freePort, type Server, startReplica } from './lib/replica.ts';
import { countedIn, createService, metricsToken, serviceRequest, storeInMetrics } from './lib/services.ts';
import { quantile } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

type Phase = {
  readonly name: string;
  readonly fault?: () => void | Promise<void>;
  readonly counted: 'redis' | 'fallback';
};

const options = readOptions({ limit: 600, window: 10, factor: 3, phase: 20 });
const { limit, window, factor, phase: phaseSeconds } = options.numbers;
const database = await createDatabase(options.database);
const redis = await startRedis(options.loadCpu, await freePort());
const replicas: Server[] = [];
const phases: readonly Phase[] = [
  { name: 'Redis answers', counted: 'redis' },
  { name: 'killed', fault: () => redis.kill(), counted: 'fallback' },
  { name: 'restarted, empty', fault: () => redis.start(), counted: 'redis' },
  { name: 'paused (SIGSTOP)', fault: () => redis.pause(), counted: 'fallback' },
  { name: 'resumed', fault: () => redis.resume(), counted: 'redis' },
];
try {
  pin(process.pid, options.loadCpu);
  for (let at = 0; at < 2; at++) {
    const env = { REDIS_URL: redis.url, METRICS_TOKEN: metricsToken };
    replicas.push(await startReplica(options, { databaseUrl: database.url, env }));
  }
  await run();
} finally {
  redis.resume();
  await Promise.all(replicas.map((replica) => replica.stop()));
  await redis.stop();
  await database.drop();
}

async function run(): Promise<void> {
  const [first] = replicas;
  if (!first) throw new Error('no replica');
  const [account] = await seedAccounts(first, database, 1);
  const { accessToken } = await signInAdmin(first);
  const key = await createService(first, accessToken, 'greedy', { read: { limit, windowSeconds: window } });
  const watcher = await createService(first, accessToken, 'watcher', {});
  const request = serviceRequest(`/v1/users/${account?.id}`, key);
  const rows = [];
  for (const phase of phases) {
    await phase.fault?.();
    const [outcomes, ...noticed] = await Promise.all([
      load(request),
      untilAll(phase.counted, storeInMetrics),
      untilAll(phase.counted, (replica) => countedIn(replica, watcher)),
    ]);
    rows.push(rowOf(phase, outcomes, noticed));
  }
  printTable(
    `a plan of ${limit} in ${window} s at ${factor} times, two replicas; phases of ${phaseSeconds} s, ${(phaseSeconds / window).toFixed(1)} windows each`,
    rows,
  );
}

async function load(request: string): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const perSecond = ((limit / window) * factor) / replicas.length;
  const until = performance.now() + phaseSeconds * 1_000;
  const next = roundRobin([request]);
  await Promise.all(
    replicas.map(({ port }) => openLoop(port, { perSecond, until, next, onDone: (one) => outcomes.push(one) })),
  );
  return outcomes;
}

/** From the fault until every replica says that it counts where it should, asked every 20 ms. */
async function untilAll(expected: string, ask: (replica: Server) => Promise<string>): Promise<number> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < phaseSeconds * 1_000) {
    const found = await Promise.all(replicas.map(ask));
    if (found.every((where) => where === expected)) return performance.now() - startedAt;
    await sleep(20);
  }
  return Number.NaN;
}

function rowOf({ name, counted }: Phase, outcomes: readonly Outcome[], noticed: readonly number[]) {
  const of = (status: number): number => outcomes.filter(({ answer }) => answer?.status === status).length;
  const failed = outcomes.filter(({ answer }) => (answer?.status ?? 599) >= 500);
  const times = outcomes.map(({ sentAt, doneAt }) => doneAt - sentAt);
  // one window more than the phase has: what the counts of the one before still
  // allowed, or a store that began empty
  const bound = Math.round(limit * (phaseSeconds / window + 1));
  return {
    phase: name,
    sent: outcomes.length,
    'let through': of(200),
    'at most': bound,
    refused: of(429),
    '5xx or none (target 0)': failed.length,
    'p50 ms': quantile(times, 0.5).toFixed(1),
    'p99 ms': quantile(times, 0.99).toFixed(1),
    'longest ms': Math.max(...times).toFixed(0),
    [`counted in`]: counted,
    '/metrics says so after ms': noticed[0]?.toFixed(0) ?? '',
    'usage after ms': noticed[1]?.toFixed(0) ?? '',
  };
}
