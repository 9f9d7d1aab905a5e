/**
 * How long a token lives in other services after its revocation was answered, and what
 * verifying costs Gatehouse. See README.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { WrongAnswerError } from './lib/call.ts';
import { createDatabase } from './lib/database.ts';
import { type Doomed, doomByKey, doomers, freshAdmin } from './lib/doomed.ts';
import { readRequests, requestsBetween } from './lib/feed-requests.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { startReplica } from './lib/replica.ts';
import { createService, createVerifyingService, metricsToken } from './lib/services.ts';
import { quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';
import { monotonicMs, type Run, startVerifier, type VerifierProcess } from './lib/verifiers.ts';

/** Looked at this long before the revocation, and this long after its answer. */
const [leadMs, tailMs] = [20, 1_300];
const everyMs = 2;
const [targetMs, limitMs] = [250, 1_000];

const options = readOptions({ count: 200, keys: 20, verifiers: 20, rate: 10, verifications: 50_000 });
const { count, keys, rate, verifications } = options.numbers;
const database = await createDatabase(options.database);
const bothCores = `${options.serverCpu},${options.loadCpu}`;
const start = () =>
  startReplica(options, { databaseUrl: database.url, cpu: bothCores, env: { METRICS_TOKEN: metricsToken } });
const replicas = [await start(), await start()] as const;
const verifiers: VerifierProcess[] = [];
const failures: string[] = [];
try {
  await run();
} finally {
  await Promise.all(verifiers.map((verifier) => verifier.stop()));
  await Promise.all(replicas.map((replica) => replica.stop()));
  await database.drop();
}
console.log(failures.length === 0 ? 'as promised' : `MISSED: ${failures.join('; ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;

async function run(): Promise<void> {
  const [server] = replicas;
  const admin = await freshAdmin(server);
  const ground = { server, database, by: await createService(server, admin, 'bench-revoker', {}) };
  const serviceKey = await createVerifyingService(server, admin, 'bench-orders');
  const prepared: (readonly Doomed[])[] = [];
  for (const doom of Object.values(doomers)) prepared.push(await doom(ground, count));
  prepared.push(await doomByKey(ground, options.app, keys));
  note(`${prepared.flat().length} tokens are good`);
  const good = (await signIn(server.port, await seedAccounts(server, database, 20))).map((one) => one.accessToken);
  for (let at = 0; at < options.numbers.verifiers; at++) {
    const { url } = replicas[at % 2 === 0 ? 0 : 1];
    verifiers.push(startVerifier(options.app, serviceKey, { url }));
  }
  await Promise.all(verifiers.map((verifier) => verifier.ask('ready', {})));
  for (const { pid } of replicas) pin(pid, options.serverCpu);
  await database.pinBackends(options.loadCpu);
  for (const pid of [process.pid, ...verifiers.map((verifier) => verifier.pid)]) pin(pid, options.loadCpu);
  const rows = [];
  for (const doomed of prepared) rows.push(rowOf(doomed[0]?.kind ?? '', await measureAll(doomed)));
  const title = `Answered by one replica → refused in all of ${verifiers.length} verifiers, half on each of two replicas`;
  printTable(title, rows);
  console.log(`ms; targets: p99 ≤ ${targetMs}, none accepted after ${limitMs}, none again`);
  await countRequests(good);
}

/** At a steady rate; keys one after the other, since a command is started for each. */
async function measureAll(doomed: readonly Doomed[]): Promise<readonly Measured[]> {
  const measuring: Promise<Measured>[] = [];
  for (const [at, one] of doomed.entries()) {
    const measured = measure(one, at);
    // awaited below; a failure before that must not end the process without its cleaning up
    measured.catch(() => undefined);
    measuring.push(measured);
    await (one.kind === 'key' ? measured : sleep(1_000 / rate));
  }
  note(`${doomed[0]?.kind}: done`);
  return Promise.all(measuring);
}

type Measured = {
  readonly revokeMs: number;
  /** After the answer, of each verifier; Infinity when it never refused. */
  readonly refusedMs: readonly number[];
  readonly lastAcceptMs: number;
  readonly again: number;
  /** Verifiers that could not tell for a while, as on a machine that is too busy. */
  readonly stale: number;
};

async function measure({ kind, token, end }: Doomed, at: number): Promise<Measured> {
  await Promise.all(verifiers.map((verifier) => verifier.ask('track', { tokens: [token], everyMs })));
  await sleep(leadMs);
  const sentMs = monotonicMs();
  await insist(() => end(replicas[at % 2 === 0 ? 0 : 1]));
  const answeredMs = monotonicMs();
  await sleep(tailMs);
  const all = await Promise.all(verifiers.map((verifier) => verifier.ask('untrack', { tokens: [token] })));
  const runs = all.map(([one = []]) => one);
  const stranger = runs.find(([first]) => first?.outcome !== 'good' && first?.outcome !== 'stale');
  if (stranger) throw new Error(`a token was not good to begin with (${kind}): ${JSON.stringify(stranger)}`);
  return {
    revokeMs: answeredMs - sentMs,
    refusedMs: runs.map((one) => Math.max(0, refusedAt(one) - answeredMs)),
    lastAcceptMs: Math.max(
      ...runs
        .flat()
        .filter(isAccept)
        .map(({ lastBegunMs }) => lastBegunMs - answeredMs),
    ),
    again: runs.filter((one) => one.slice(one.findIndex(isRefusal)).some(isAccept)).length,
    stale: runs.flat().filter(({ outcome }) => outcome.startsWith('stale')).length,
  };
}

/** A machine that is too busy answers 503: nothing was revoked then. */
async function insist(request: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await request();
      return;
    } catch (error) {
      if (!(error instanceof WrongAnswerError) || error.status !== 503 || attempt === 5) throw error;
      await sleep(200);
    }
  }
}

function isAccept({ outcome }: Run): boolean {
  return outcome === 'good' || outcome === 'stale, accepted';
}

/** A key that has gone from the set is refused for that, too. */
function isRefusal({ outcome }: Run): boolean {
  return outcome === 'revoked' || outcome === 'unknown-key';
}

function refusedAt(runs: readonly Run[]): number {
  return runs.find(isRefusal)?.firstDoneMs ?? Infinity;
}

function rowOf(kind: string, measured: readonly Measured[]) {
  const inAll = measured.map(({ refusedMs }) => Math.max(...refusedMs));
  const late = measured.filter(({ lastAcceptMs }) => lastAcceptMs > limitMs).length;
  const again = measured.reduce((sum, one) => sum + one.again, 0);
  const three = (values: readonly number[]): string =>
    [0.5, 0.99, 1].map((q) => quantile(values, q).toFixed(1)).join(' / ');
  if (!(quantile(inAll, 0.99) <= targetMs)) failures.push(`${kind}: p99 ${quantile(inAll, 0.99).toFixed(0)} ms`);
  if (late > 0) failures.push(`${kind}: ${late} accepted after ${limitMs} ms`);
  if (again > 0) failures.push(`${kind}: ${again} accepted again`);
  return {
    kind,
    revocations: measured.length,
    'refused in all p50/p99/max': three(inAll),
    'in one p50/p99/max': three(measured.flatMap(({ refusedMs }) => refusedMs)),
    [`accepted after ${limitMs} ms`]: late,
    'accepted again': again,
    stale: measured.reduce((sum, one) => sum + one.stale, 0),
    'revoke ms p50': quantile(
      measured.map(({ revokeMs }) => revokeMs),
      0.5,
    ).toFixed(1),
  };
}

/** What verifying asks of Gatehouse, against the same time without it. */
async function countRequests(tokens: readonly string[]): Promise<void> {
  const before = await readRequests(replicas);
  const startedMs = performance.now();
  const outcomes = await Promise.all(
    verifiers.map((verifier) => verifier.ask('verify', { tokens, count: verifications })),
  );
  const tookMs = performance.now() - startedMs;
  const between = await readRequests(replicas);
  await sleep(tookMs);
  const busy = requestsBetween(before, between);
  const idle = requestsBetween(between, await readRequests(replicas));
  const verified = outcomes.reduce((sum, { good = 0 }) => sum + good, 0);
  const isAll = verified === verifiers.length * verifications;
  if (!isAll) failures.push(`good tokens were refused: ${JSON.stringify(outcomes)}`);
  if (busy.other > 0) failures.push(`${busy.other} requests for ${verified} tokens`);
  printTable('Requests to Gatehouse', [
    {
      while: `${verified} tokens verified`,
      seconds: (tookMs / 1_000).toFixed(1),
      'feed and keys': busy.constant,
      other: busy.other,
    },
    {
      while: 'nothing is verified',
      seconds: (tookMs / 1_000).toFixed(1),
      'feed and keys': idle.constant,
      other: idle.other,
    },
  ]);
}
