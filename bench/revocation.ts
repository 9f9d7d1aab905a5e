/** How long a token lives on another replica after its revocation was answered. See README.md. */
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn, signInAdmin } from './lib/accounts.ts';
import { Connection, meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { openFaultProxy } from './lib/fault-proxy.ts';
import { openLoop, type Outcome, roundRobin } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { startReplica } from './lib/replica.ts';
import { type By, kinds, type Measured, type Victim } from './lib/revoke.ts';
import { createService } from './lib/services.ts';
import { quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

/**
 * `cut`: PostgreSQL ends B's listening connection. `silence`: it stays open,
 * but nothing more comes through.
 */
type Fault = 'none' | 'cut' | 'silence';

/** Polled this long before the revocation, and this long after its answer. */
const [leadMs, tailMs] = [20, 400];
/**
 * The listening connection is cut, or goes silent, this often: it is
 * lost about as long as it holds.
 */
const faultEveryMs = 400;

const options = readOptions({ count: 200, lanes: 4, background: 200 }, ['cut', 'silence']);
const { count, lanes, background } = options.numbers;
const fault: Fault = options.flags.has('cut') ? 'cut' : options.flags.has('silence') ? 'silence' : 'none';
const database = await createDatabase(options.database);
const bothCores = `${options.serverCpu},${options.loadCpu}`;
// on both cores for the logins that prepare the run; bound to one before measuring
const a = await startReplica(options, { databaseUrl: database.url, cpu: bothCores });
const listeners = `select pid from pg_stat_activity
  where datname = current_database() and application_name = 'gatehouse listener'`;
const [listenerOfA] = await database.query<{ pid: number }>(listeners, []);
// what is cut is cut at its end, without a proxy that would pass the news on late
const proxy = fault === 'silence' ? await openFaultProxy(database.url) : undefined;
const b = await startReplica(options, { databaseUrl: proxy?.url ?? database.url, cpu: bothCores });
const stopping = new AbortController();
let faults = 0;
try {
  await run();
} finally {
  stopping.abort();
  await Promise.all([a.stop(), b.stop()]);
  proxy?.close();
  await database.drop();
}

async function run(): Promise<void> {
  const { accessToken: admin } = await signInAdmin(a);
  const by: By = { admin, serviceKey: await createService(a, admin, 'bench-revoker', {}) };
  const readers = (await signIn(a.port, await seedAccounts(a, database, 20))).map((tokens) => tokens.accessToken);
  const prepared = [];
  for (const kind of kinds) {
    const accounts = await seedAccounts(a, database, count);
    const tokens = await signIn(a.port, accounts);
    prepared.push({
      kind,
      victims: accounts.flatMap((account, at) => (tokens[at] ? [{ account, tokens: tokens[at] }] : [])),
    });
    note(`${tokens.length} users signed in for ${kind.name}`);
  }
  for (const server of [a, b]) pin(server.pid, options.serverCpu);
  await database.pinBackends(options.loadCpu);
  pin(process.pid, options.loadCpu);
  if (fault !== 'none') void makeFaults();
  const rows = [];
  for (const { kind, victims } of prepared) {
    const measured = await measureKind(victims, (victim) => kind.request(victim, by), readers);
    rows.push(rowOf(kind.name, measured.results, measured.reads));
    note(`${kind.name}: done`);
  }
  printTable(titleOf(), rows);
  console.log('ms after the 2xx; target p99 ≤ 50, none after 250; with the listener cut: none at all');
}

function titleOf(): string {
  const faultText = {
    none: '',
    cut: `, listener of B cut ${faults} times`,
    silence: `, listener of B silenced ${faults} times`,
  };
  return `Revoked on A: last accept on B, ${count} of each, ${background} me/s on each replica${faultText[fault]}`;
}

async function measureKind(
  victims: readonly Victim[],
  requestOf: (victim: Victim) => string,
  readers: readonly string[],
) {
  const ending = new AbortController();
  const reads: Outcome[] = [];
  const loads = [a, b].map((server) => backgroundLoad(server.port, readers, ending.signal, reads));
  const results: Measured[] = [];
  const todo = victims.values();
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      const [toA, toB] = [await Connection.open(a.port), await Connection.open(b.port)];
      // lanes out of step
      await sleep(lane * (tailMs / lanes));
      for (const victim of todo) results.push(await measure(toA, toB, victim.tokens.accessToken, requestOf(victim)));
      toA.close();
      toB.close();
    }),
  );
  ending.abort();
  await Promise.all(loads);
  return { results, reads };
}

async function backgroundLoad(
  port: number,
  tokens: readonly string[],
  ending: AbortSignal,
  reads: Outcome[],
): Promise<void> {
  const next = roundRobin(tokens.map(meRequest));
  while (!ending.aborted) {
    await openLoop(port, {
      perSecond: background,
      until: performance.now() + 250,
      next,
      onDone: (one) => reads.push(one),
    });
  }
}

/**
 * Asks B with the token about every millisecond, from before the
 * revocation on A until long after it.
 */
async function measure(toA: Connection, toB: Connection, token: string, revocation: string): Promise<Measured> {
  const request = meRequest(token);
  const first = await toB.send(request);
  if (first.status !== 200) throw new Error(`the token was not good to begin with: ${first.status} ${first.body}`);
  const polled: { begunAt: number; answeredAt: number; status: number }[] = [];
  let revokedAt = Infinity;
  const polling = (async () => {
    while (performance.now() < revokedAt + tailMs) {
      const begunAt = performance.now();
      const { status } = await toB.send(request);
      polled.push({ begunAt, answeredAt: performance.now(), status });
      // once refused, it must stay so; that needs no such haste
      await sleep(status === 401 ? 5 : 1);
    }
  })();
  // awaited below; a failure before that must not end the process without its cleaning up
  polling.catch(() => undefined);
  await sleep(leadMs);
  const sentAt = performance.now();
  const { status, body } = await toA.send(revocation);
  revokedAt = performance.now();
  await polling;
  if (status >= 300) throw new Error(`revocation: ${status} ${body}`);
  // the answer of an erased user's token that is still accepted is 404
  const accepted = polled.filter((poll) => poll.status === 200 || poll.status === 404);
  const after = (times: readonly number[]): number => Math.max(0, ...times.map((time) => time - revokedAt));
  return {
    lastAcceptBegunMs: after(accepted.map(({ begunAt }) => begunAt)),
    lastAcceptAnsweredMs: after(accepted.map(({ answeredAt }) => answeredAt)),
    revokeMs: revokedAt - sentAt,
    failed: polled.filter((poll) => ![200, 401, 404].includes(poll.status)).length,
    polls: polled.filter(({ begunAt }) => begunAt > revokedAt).length,
  };
}

function rowOf(name: string, results: readonly Measured[], reads: readonly Outcome[]) {
  const begun = results.map((result) => result.lastAcceptBegunMs);
  const answered = results.map((result) => result.lastAcceptAnsweredMs);
  const sum = (of: (result: Measured) => number): number => results.reduce((total, result) => total + of(result), 0);
  const three = (values: readonly number[]): string =>
    [0.5, 0.99, 1].map((q) => quantile(values, q).toFixed(1)).join(' / ');
  return {
    kind: name,
    count: results.length,
    'accept begun p50/p99/max': three(begun),
    'accept answered p50/p99/max': three(answered),
    'tokens accepted at all after': begun.filter((time) => time > 0).length,
    'after 250 ms': begun.filter((time) => time > 250).length,
    'polls after': sum(({ polls }) => polls),
    'other answers': sum(({ failed }) => failed),
    'revoke ms p50': quantile(
      results.map(({ revokeMs }) => revokeMs),
      0.5,
    ).toFixed(1),
    'me not 200': `${reads.filter(({ answer }) => answer?.status !== 200).length} of ${reads.length}`,
  };
}

async function makeFaults(): Promise<void> {
  while (!stopping.signal.aborted) {
    // not in step with anything else
    await sleep(faultEveryMs * (0.5 + Math.random()), undefined, { signal: stopping.signal }).catch(() => undefined);
    if (stopping.signal.aborted) return;
    if (proxy?.silence()) faults++;
    if (!proxy) faults += await cutListener();
  }
}

/** B's listening connection is the one that is not A's. */
async function cutListener(): Promise<number> {
  const cut = await database.query(`select pg_terminate_backend(pid) from (${listeners}) l where pid <> $1`, [
    listenerOfA?.pid,
  ]);
  return cut.length;
}
