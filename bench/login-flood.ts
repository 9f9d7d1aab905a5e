/** Logins at ten times what one core can do, and what becomes of everybody else meanwhile. See README.md. */
import { setTimeout as sleep } from 'node:timers/promises';

import { type Account, loginRequest, seedAccounts, signIn, userPassword } from './lib/accounts.ts';
import { meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { closedLoop, openLoop, type Outcome, roundRobin } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { cpuSeconds, pin, residentMb } from './lib/process-usage.ts';
import { type Server, startReplica } from './lib/replica.ts';
import { quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

const mePerSecond = 50;

const options = readOptions({ seconds: 60, calm: 10, factor: 10, users: 100 });
const { seconds, calm, factor, users } = options.numbers;
const database = await createDatabase(options.database);
const replica = await startReplica(options, { databaseUrl: database.url });
try {
  pin(process.pid, options.loadCpu);
  const accounts = await seedAccounts(replica, database, users);
  const [reader] = await signIn(replica.port, accounts.slice(0, 1));
  const me = meRequest(reader?.accessToken ?? '');
  await database.pinBackends(options.loadCpu);
  await best(accounts, 4, 3);
  const before = await capacity(accounts);
  const quiet = await sampleMe(me, performance.now() + 5_000);
  const rssBefore = residentMb(replica.pid);
  const flooded = await flood(accounts, me, before.perSecond * factor);
  // a machine that got slower or faster meanwhile shows here, not as a loss or a gain of the flood
  const after = await capacity(accounts);
  report({ before, after, quiet, flooded, rssBefore });
} finally {
  await replica.stop();
  await database.drop();
}

type Capacity = { readonly perSecond: number; readonly concurrency: number };

async function capacity(accounts: readonly Account[]): Promise<Capacity> {
  const found: Capacity[] = [];
  for (const concurrency of [2, 4, 8]) found.push(await best(accounts, concurrency, calm));
  note(found.map(({ concurrency, perSecond }) => `${perSecond.toFixed(1)} logins/s at ${concurrency}`).join(', '));
  return found.toSorted((left, right) => right.perSecond - left.perSecond)[0] ?? { perSecond: 0, concurrency: 0 };
}

async function best(accounts: readonly Account[], concurrency: number, forSeconds: number): Promise<Capacity> {
  const next = roundRobin(accounts.map(({ userName }) => loginRequest(userName, userPassword)));
  const load = await closedLoop(replica.port, { connections: concurrency, seconds: forSeconds, next });
  return { concurrency, perSecond: load.latenciesMs.length / load.seconds };
}

async function sampleMe(me: string, until: number): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  await openLoop(replica.port, { perSecond: mePerSecond, until, next: () => me, onDone: (one) => outcomes.push(one) });
  return outcomes;
}

async function flood(accounts: readonly Account[], me: string, perSecond: number) {
  note(`${perSecond.toFixed(0)} logins/s for ${seconds} s`);
  const next = roundRobin(accounts.map(({ userName }) => loginRequest(userName, userPassword)));
  const logins: Outcome[] = [];
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  const cpuBefore = cpuSeconds(replica.pid);
  const watching = watch(replica, until);
  const [{ sent, connections }, reads] = await Promise.all([
    openLoop(replica.port, { perSecond, until, next, onDone: (one) => logins.push(one) }),
    sampleMe(me, until),
  ]);
  const { rssMb, notReady } = await watching;
  const cpu = cpuSeconds(replica.pid) - cpuBefore;
  return { logins, reads, sent, connections, rssMb, notReady, startedAt, until, cpu };
}

/** Memory and readiness, once a second. */
async function watch(server: Server, until: number): Promise<{ rssMb: readonly number[]; notReady: number }> {
  const rssMb: number[] = [];
  let notReady = 0;
  while (performance.now() < until) {
    rssMb.push(residentMb(server.pid).now);
    const ready = await fetch(`${server.url}/health/ready`).catch(() => undefined);
    await ready?.body?.cancel();
    if (ready?.status !== 200) notReady++;
    await sleep(1_000);
  }
  return { rssMb, notReady };
}

type Result = {
  readonly before: Capacity;
  readonly after: Capacity;
  readonly quiet: readonly Outcome[];
  readonly flooded: Awaited<ReturnType<typeof flood>>;
  readonly rssBefore: { readonly now: number };
};

function report({ before, after, quiet, flooded, rssBefore }: Result): void {
  const { logins, reads, sent, connections, rssMb, notReady, startedAt, until } = flooded;
  const good = logins.filter(({ answer, doneAt }) => answer?.status === 200 && doneAt >= startedAt && doneAt <= until);
  const refused = logins.filter(({ answer }) => answer?.status === 503);
  const polite = refused.filter(({ answer }) => /\r\nretry-after: \d/i.test(answer?.head ?? ''));
  const other = sent - refused.length - logins.filter(({ answer }) => answer?.status === 200).length;
  const perSecond = good.length / seconds;
  const calmBest = (before.perSecond + after.perSecond) / 2;
  const readsBad = reads.filter(({ answer }) => answer?.status !== 200).length;
  const row = (measure: string, value: string, target = '') => ({ measure, value, target });
  printTable(`${sent} logins in ${seconds} s, ${factor} times the best; one core`, [
    row('best without flood, before', `${before.perSecond.toFixed(1)}/s at ${before.concurrency}`),
    row('best without flood, after', `${after.perSecond.toFixed(1)}/s at ${after.concurrency}`),
    row('logins in the flood', `${perSecond.toFixed(1)}/s`),
    row('flood / best (mean of before and after)', (perSecond / calmBest).toFixed(2), '≥ 0.90'),
    row('wait of a good login, p50 / p99', `${milliseconds(good, 0.5)} / ${milliseconds(good, 0.99)} ms`),
    row('refused with 503', `${((refused.length / sent) * 100).toFixed(1)} %`),
    row('of those, with Retry-After', `${((polite.length / refused.length) * 100).toFixed(1)} %`, '100 %'),
    row('time of a refusal, p50 / p99', `${milliseconds(refused, 0.5)} / ${milliseconds(refused, 0.99)} ms`),
    row('other answers or none', String(other), '0'),
    row('me, quiet, p50 / p99', `${milliseconds(quiet, 0.5)} / ${milliseconds(quiet, 0.99)} ms`),
    row('me, flooded, p50 / p99', `${milliseconds(reads, 0.5)} / ${milliseconds(reads, 0.99)} ms`, 'p99 < 100 ms'),
    row('me, other answers than 200', `${readsBad} of ${reads.length}`, '0'),
    row('readiness other than 200', `${notReady} of ${rssMb.length}`, '0'),
    row('memory before / most / at the end', memory(rssBefore.now, rssMb), 'bounded'),
    row('core busy', `${((flooded.cpu / seconds) * 100).toFixed(0)} %`),
    row('client connections', String(connections)),
    row('process', replica.hasExited() ? 'CRASHED' : 'alive', 'alive'),
  ]);
}

function milliseconds(outcomes: readonly Outcome[], q: number): string {
  const times = outcomes.map(({ sentAt, doneAt }) => doneAt - sentAt);
  return quantile(times, q).toFixed(1);
}

function memory(before: number, during: readonly number[]): string {
  const values = [before, Math.max(...during), during.at(-1) ?? 0];
  return `${values.map((value) => value.toFixed(0)).join(' / ')} MB`;
}
