/**
 * Gatehouse is killed, rolled and given new keys while other services verify: whether a good token
 * is refused, and whether a revoked one is accepted. See README.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { type Backend, openBalancer } from './lib/balancer.ts';
import { createDatabase } from './lib/database.ts';
import { type Doomed, doomers, freshAdmin } from './lib/doomed.ts';
import { readOptions } from './lib/options.ts';
import { startReplica } from './lib/replica.ts';
import { createService, createVerifyingService } from './lib/services.ts';
import { note, printTable } from './lib/table.ts';
import { rotateKeys } from './lib/upgrade-cli.ts';
import { type LoadResult, startVerifier, type VerifierProcess } from './lib/verifiers.ts';

/** A revocation is heard everywhere by then, also by a verifier whose replica has just gone. */
const heardAfterMs = 3_000;
const drainSeconds = '1';

const options = readOptions({ verifications: 100_000, verifiers: 4, rotations: 3, between: 6, calm: 3 });
const { verifications, rotations, between, calm } = options.numbers;
const cpu = `${options.serverCpu},${options.loadCpu}`;
const database = await createDatabase(options.database);
const operator = { folder: options.app, databaseUrl: database.url };
const backends: Backend[] = [];
const verifiers: VerifierProcess[] = [];
const good: string[] = [];
const ended: string[] = [];
const counts = new Map<string, LoadResult>();
let balancer: Awaited<ReturnType<typeof openBalancer>> | undefined;
const failures: string[] = [];
try {
  await run();
} finally {
  await Promise.all(verifiers.map((verifier) => verifier.stop()));
  balancer?.close();
  await Promise.all(backends.map(({ server }) => server.stop()));
  await database.drop();
}
console.log(failures.length === 0 ? 'as promised' : `MISSED: ${failures.join('; ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;

async function run(): Promise<void> {
  for (let at = 0; at < 2; at++) await addReplica();
  const server = serving();
  const admin = await freshAdmin(server);
  const ground = { server, database, by: await createService(server, admin, 'bench-revoker', {}) };
  const serviceKey = await createVerifyingService(server, admin, 'bench-orders');
  good.push(...(await signInNew(8)));
  const doomed: Doomed[] = [];
  for (const doom of Object.values(doomers)) doomed.push(...(await doom(ground, 8)));
  balancer = await openBalancer(backends);
  const url = `http://127.0.0.1:${balancer.port}`;
  for (let at = 0; at < options.numbers.verifiers; at++)
    verifiers.push(startVerifier(options.app, serviceKey, { url }));
  await Promise.all(verifiers.map((verifier) => verifier.ask('ready', {})));
  await during('nothing happens', () => end(doomed.splice(0, 8)));
  await during('one of two killed', async () => {
    const [killed] = backends.splice(0, 1);
    if (killed) process.kill(killed.server.pid, 'SIGKILL');
    await end(doomed.splice(0, 8));
    await addReplica();
  });
  await during('both rolled', async () => {
    for (const old of backends.slice()) {
      // as an orchestrator: the new one is ready before the old one is told to go
      await addReplica();
      const stopped = old.server.stop();
      await end(doomed.splice(0, 4));
      await stopped;
      backends.splice(backends.indexOf(old), 1);
    }
  });
  await during('keys rotated at once', async () => {
    for (let at = 0; at < rotations; at++) {
      await rotateKeys(operator);
      good.push(...(await signInNew(1)));
      await show();
      await end(doomed.splice(0, 2));
      // a verifier asks for unknown keys once in 5 s: nearer, new tokens are refused meanwhile
      await sleep(between * 1_000);
    }
  });
  await during('both killed, one started', async () => {
    for (const { server: killed } of backends.splice(0, 2)) process.kill(killed.pid, 'SIGKILL');
    await sleep(calm * 1_000);
    await addReplica();
    await end(doomed.splice(0, 8));
  });
  await during('until there are enough', () => untilEnough());
  report();
}

async function addReplica(): Promise<void> {
  const env = { DRAIN_DELAY_SECONDS: drainSeconds };
  backends.push({ server: await startReplica(options, { databaseUrl: database.url, cpu, env }), isReady: true });
}

/** The replica that was started last. */
function serving() {
  const server = backends.at(-1)?.server;
  if (!server) throw new Error('no replica');
  return server;
}

async function signInNew(count: number): Promise<readonly string[]> {
  const accounts = (await seedAccounts(serving(), database, count)).slice(0, count);
  return (await signIn(serving().port, accounts)).map(({ accessToken }) => accessToken);
}

/** What verifiers verify from now on. */
async function show(): Promise<void> {
  await Promise.all(verifiers.map((verifier) => verifier.ask('load', { tokens: { good, ended } })));
}

async function end(doomed: readonly Doomed[]): Promise<void> {
  for (const one of doomed) await one.end(serving());
  setTimeout(() => {
    ended.push(...doomed.map(({ token }) => token));
    // who is stopped meanwhile verifies nothing more
    show().catch(() => undefined);
  }, heardAfterMs);
}

/** Verifies while something happens, and a while after it. */
async function during(name: string, happening: () => Promise<unknown>): Promise<void> {
  await show();
  await happening();
  await sleep(heardAfterMs + calm * 1_000);
  const results = await Promise.all(verifiers.map((verifier) => verifier.ask('unload', {})));
  counts.set(name, results.reduce(sumOf));
  note(name);
}

/** About a second at a time, since what was verified is told at the end of a load. */
async function untilEnough(): Promise<void> {
  let missing = verifications - total();
  while (missing > 0) {
    const each = Math.min(5_000, Math.ceil(missing / verifiers.length));
    const outcomes = await Promise.all(
      verifiers.map((verifier) => verifier.ask('verify', { tokens: good, count: each })),
    );
    for (const one of outcomes)
      counts.set('as fast as it goes', sumOf(counts.get('as fast as it goes') ?? none(), { ...none(), good: one }));
    missing -= each * verifiers.length;
  }
}

function none(): LoadResult {
  return { good: {}, ended: {}, examples: [] };
}

function total(): number {
  return [...counts.values()].reduce((sum, { good: one }) => sum + countOf(one), 0);
}

function countOf(outcomes: Readonly<Record<string, number>>): number {
  return Object.values(outcomes).reduce((sum, one) => sum + one, 0);
}

function sumOf(left: LoadResult, right: LoadResult): LoadResult {
  const add = (one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>) => {
    const sum: Record<string, number> = { ...one };
    for (const [outcome, count] of Object.entries(other)) sum[outcome] = (sum[outcome] ?? 0) + count;
    return sum;
  };
  return {
    good: add(left.good, right.good),
    ended: add(left.ended, right.ended),
    examples: [...new Set([...left.examples, ...right.examples])],
  };
}

function report(): void {
  const rows = [...counts].map(([name, result]) => {
    const { good: accepted = 0, stale = 0, ...refused } = result.good;
    const wronglyRefused = countOf(refused);
    const wronglyAccepted = result.ended['good'] ?? 0;
    // nobody could be asked for longer than staleness is tolerated: only there is this an answer
    const isAway = name.startsWith('both killed');
    if (wronglyRefused > 0) failures.push(`${name}: good tokens ${JSON.stringify(refused)}`);
    if (stale > 0 && !isAway) failures.push(`${name}: ${stale} good tokens not judged (stale)`);
    if (wronglyAccepted > 0) failures.push(`${name}: ${wronglyAccepted} revoked tokens accepted`);
    if (result.examples.length > 0) note(`${name}: ${result.examples.join(', ')}`);
    return {
      while: name,
      'good, accepted': accepted,
      refused: wronglyRefused,
      'stale (503)': `${stale}${isAway ? ', as it should' : ''}`,
      'revoked, verified': countOf(result.ended),
      accepted: wronglyAccepted,
    };
  });
  printTable(`${total()} verifications of good tokens in ${verifiers.length} verifiers behind two replicas`, rows);
  console.log('targets: 0 refused, 0 accepted; 503 only while no replica can be asked for longer than 2 s');
}
