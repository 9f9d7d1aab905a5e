/**
 * How long a token lives on another replica after the permissions of a role that it carries were
 * changed, with few holders and with many. See README.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { type Account, seedAccounts, signIn, signInAdmin, type Tokens } from './lib/accounts.ts';
import { Connection, jsonRequest, meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { openLoop, type Outcome, roundRobin } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { startReplica } from './lib/replica.ts';
import { quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

/** What one change of the role took, in milliseconds; `lastAccept` counts from its answer. */
type Measured = { readonly changeMs: number; readonly lastAcceptMs: number; readonly polls: number };

/** Polled this long before the change, and this long after its answer. */
const [leadMs, tailMs] = [10, 150];
const [changed, kept] = ['bench-changed', 'bench-kept'];
/** So that no sign-in of the administrator is too old to change a role. */
const changesBySignIn = 50;
let version = 0;

const options = readOptions({ changes: 200, few: 10, many: 1_000_000, background: 200 }, []);
const { changes, few, many, background } = options.numbers;
const database = await createDatabase(options.database);
const bothCores = `${options.serverCpu},${options.loadCpu}`;
const a = await startReplica(options, { databaseUrl: database.url, cpu: bothCores });
const b = await startReplica(options, { databaseUrl: database.url, cpu: bothCores });
try {
  await run();
} finally {
  await Promise.all([a.stop(), b.stop()]);
  await database.drop();
}

async function run(): Promise<void> {
  const { accessToken: admin } = await signInAdmin(a);
  const toA = await Connection.open(a.port);
  for (const name of [changed, kept]) {
    await expected(toA, 201, jsonRequest('POST', '/v1/roles', { name, permissions: ['bench:read'] }, admin));
  }
  const holders = await seedHolders(toA, few, changed, admin);
  const others = await seedHolders(toA, 20, kept, admin);
  const [victim] = await signIn(a.port, holders.slice(0, 1));
  if (!victim) throw new Error('nobody holds the role');
  const readers = (await signIn(a.port, others)).map(({ accessToken }) => accessToken);
  for (const server of [a, b]) pin(server.pid, options.serverCpu);
  await database.pinBackends(options.loadCpu);
  pin(process.pid, options.loadCpu);
  const first = await measure({ victim, readers });
  await addHolders(many - few);
  const second = await measure(first);
  printTable(`Permissions changed on A: last accept on B, ${changes} changes, ${background} me/s on each replica`, [
    rowOf(few, first),
    rowOf(many, second),
  ]);
  const ratio = medianOf(second.results) / medianOf(first.results);
  console.log(`ratio of the time of a change, many to few: ${ratio.toFixed(2)}`);
  console.log('ms after the 2xx; no token of somebody who does not hold the role may be refused');
  toA.close();
}

type Parties = { readonly victim: Tokens; readonly readers: readonly string[] };
type Round = Parties & { readonly results: readonly Measured[]; readonly reads: readonly Outcome[] };

/** Changes the role again and again, while others who do not hold it ask on both replicas. */
async function measure({ victim, readers }: Parties): Promise<Round> {
  const ending = new AbortController();
  const reads: Outcome[] = [];
  const loads = [a, b].map((server) => loadOn(server.port, readers, ending.signal, reads));
  const [toA, toB] = [await Connection.open(a.port), await Connection.open(b.port)];
  const results: Measured[] = [];
  let tokens = victim;
  let admin = '';
  for (let change = 0; change < changes; change++) {
    if (change % changesBySignIn === 0) admin = (await signInAdmin(a)).accessToken;
    results.push(await changeOnce(toA, toB, tokens.accessToken, admin));
    const refresh = jsonRequest('POST', '/v1/auth/refresh', { refreshToken: tokens.refreshToken });
    tokens = JSON.parse(await expected(toA, 200, refresh)) as Tokens;
  }
  ending.abort();
  await Promise.all(loads);
  toA.close();
  toB.close();
  return { victim: tokens, readers, results, reads };
}

/** Asks B with the token about every millisecond, from before the change until long after it. */
async function changeOnce(toA: Connection, toB: Connection, token: string, admin: string): Promise<Measured> {
  const request = meRequest(token);
  await expected(toB, 200, request);
  const accepted: number[] = [];
  let polls = 0;
  let answeredAt = Infinity;
  const polling = (async () => {
    while (performance.now() < answeredAt + tailMs) {
      const begunAt = performance.now();
      const { status } = await toB.send(request);
      if (status !== 200 && status !== 401) throw new Error(`B answered ${status}`);
      if (status === 200) accepted.push(begunAt);
      if (begunAt > answeredAt) polls++;
      // once refused, it must stay so; that needs no such haste
      await sleep(status === 401 ? 5 : 1);
    }
  })();
  // awaited below; a failure before that must not end the process without its cleaning up
  polling.catch(() => undefined);
  await sleep(leadMs);
  const sentAt = performance.now();
  const permissions = [`bench:${version++}`];
  await expected(toA, 200, jsonRequest('PATCH', `/v1/roles/${changed}`, { permissions }, admin));
  answeredAt = performance.now();
  await polling;
  const lastAcceptMs = Math.max(0, ...accepted.map((begunAt) => begunAt - answeredAt));
  return { changeMs: answeredAt - sentAt, lastAcceptMs, polls };
}

async function loadOn(port: number, tokens: readonly string[], ending: AbortSignal, reads: Outcome[]): Promise<void> {
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

async function seedHolders(to: Connection, count: number, role: string, admin: string): Promise<readonly Account[]> {
  const accounts = await seedAccounts(a, database, count);
  for (const { id } of accounts) {
    await expected(to, 200, jsonRequest('PATCH', `/v1/users/${id}`, { roles: ['user', role] }, admin));
  }
  return accounts;
}

/** By SQL, with the trigger that keeps the sets of roles; without the index of the search. */
async function addHolders(count: number): Promise<void> {
  const startedAt = performance.now();
  await database.query('drop index users_search_text_trigram');
  await database.query(
    `insert into users (id, user_name, user_name_key, first_name, last_name, roles, password_hash, created_at, updated_at)
      select gen_random_uuid(), 'crowd' || n, 'crowd' || n, 'Ada', 'Lovelace', array['user', $2], 'none', now(), now()
      from generate_series(1, $1::int) n`,
    [count, changed],
  );
  await database.query('vacuum analyze users');
  note(`${count} more holders in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
}

async function expected(to: Connection, status: number, request: string): Promise<string> {
  const answer = await to.send(request);
  if (answer.status !== status) throw new Error(`${status} was expected: ${answer.status} ${answer.body}`);
  return answer.body;
}

function medianOf(results: readonly Measured[]): number {
  return quantile(
    results.map(({ changeMs }) => changeMs),
    0.5,
  );
}

function rowOf(holders: number, { results, reads }: Round) {
  const three = (values: readonly number[]): string =>
    [0.5, 0.99, 1].map((q) => quantile(values, q).toFixed(1)).join(' / ');
  const accepts = results.map(({ lastAcceptMs }) => lastAcceptMs);
  return {
    holders,
    changes: results.length,
    'last accept p50/p99/max': three(accepts),
    'accepted at all after': accepts.filter((ms) => ms > 0).length,
    'polls after': results.reduce((total, { polls }) => total + polls, 0),
    'change ms p50/p99/max': three(results.map(({ changeMs }) => changeMs)),
    'others refused': `${reads.filter(({ answer }) => answer?.status !== 200).length} of ${reads.length}`,
  };
}
