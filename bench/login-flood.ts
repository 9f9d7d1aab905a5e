/**
 * Logins at ten times what one core can do, and what becomes of everybody
 * else meanwhile. See README.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { type Account, loginRequest, seedAccounts, signIn, userPassword } from './lib/accounts.ts';
import { meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { closedLoop, openLoop, type Outcome, roundRobin } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { hashingShare, pin, residentMb } from './lib/process-usage.ts';
import { type Server, startReplica } from './lib/replica.ts';
import { median, quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

const mePerSecond = 50;

const options = readOptions({ floods: 3, seconds: 20, calm: 10, factor: 10, users: 100 });
const { floods, seconds, calm, factor, users } = options.numbers;
const database = await createDatabase(options.database);
const replica = await startReplica(options, { databaseUrl: database.url });
try {
  pin(process.pid, options.loadCpu);
  const [reading, ...accounts] = await seedAccounts(replica, database, users + 1);
  if (!reading) throw new Error('no accounts');
  // the reader does not log in again: beyond SESSIONS_PER_USER the oldest session of a user ends
  const [reader] = await signIn(replica.port, [reading]);
  const me = meRequest(reader?.accessToken ?? '');
  await database.pinBackends(options.loadCpu);
  await best(accounts, 4, 3);
  const { concurrency } = await capacity(accounts);
  const quiet = await sampleMe(me, performance.now() + 5_000);
  const rssBefore = residentMb(replica.pid).now;
  // each flood between two calm spells: a machine that gets slower or faster
  // does not show as a loss or a gain
  const spell = (): Promise<Calm> => calmly(accounts, me, concurrency);
  const spells: Calm[] = [await spell()];
  const flooded: Flood[] = [];
  for (let at = 0; at < floods; at++) {
    flooded.push(await flood(accounts, me, (spells.at(-1)?.perSecond ?? 0) * factor));
    spells.push(await spell());
  }
  report({ spells, flooded, quiet, rssBefore });
} finally {
  await replica.stop();
  await database.drop();
}

/** `hashing`: the share of the server's CPU that its hashing threads had. */
type Calm = { readonly perSecond: number; readonly hashing: number; readonly concurrency: number };

async function capacity(accounts: readonly Account[]): Promise<Calm> {
  const found = [];
  for (const concurrency of [2, 4, 8]) found.push(await best(accounts, concurrency, calm));
  note(found.map(({ concurrency, perSecond }) => `${perSecond.toFixed(1)} logins/s at ${concurrency}`).join(', '));
  return found.reduce((left, right) => (left.perSecond > right.perSecond ? left : right));
}

async function best(accounts: readonly Account[], concurrency: number, forSeconds: number): Promise<Calm> {
  const next = roundRobin(accounts.map(({ userName }) => loginRequest(userName, userPassword)));
  const share = hashingShare(replica.pid);
  const load = await closedLoop(replica.port, { connections: concurrency, seconds: forSeconds, next });
  return { concurrency, perSecond: load.latenciesMs.length / load.seconds, hashing: share() };
}

/** With as many readers as in a flood, so that the flood is all that differs. */
async function calmly(accounts: readonly Account[], me: string, concurrency: number): Promise<Calm> {
  const reading = sampleMe(me, performance.now() + calm * 1_000);
  const logins = await best(accounts, concurrency, calm);
  await reading;
  return logins;
}

async function sampleMe(me: string, until: number): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  await openLoop(replica.port, { perSecond: mePerSecond, until, next: () => me, onDone: (one) => outcomes.push(one) });
  return outcomes;
}

async function flood(accounts: readonly Account[], me: string, perSecond: number): Promise<Flood> {
  note(`${perSecond.toFixed(0)} logins/s for ${seconds} s`);
  const next = roundRobin(accounts.map(({ userName }) => loginRequest(userName, userPassword)));
  const logins: Outcome[] = [];
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  const share = hashingShare(replica.pid);
  const watching = watch(replica, until, share);
  const [{ sent, connections }, reads] = await Promise.all([
    openLoop(replica.port, { perSecond, until, next, onDone: (one) => logins.push(one) }),
    sampleMe(me, until),
  ]);
  const { rssMb, notReady, hashing } = await watching;
  const good = logins.filter(({ answer, doneAt }) => answer?.status === 200 && doneAt <= until);
  return { logins, good, reads, sent, connections, rssMb, notReady, hashing };
}

type Watched = { readonly rssMb: readonly number[]; readonly notReady: number; readonly hashing: number };
type Flood = Watched & {
  readonly logins: readonly Outcome[];
  /** Those that were let in while it lasted. */
  readonly good: readonly Outcome[];
  readonly reads: readonly Outcome[];
  readonly sent: number;
  readonly connections: number;
};

/** Memory and readiness, once a second; at the end what the hashing threads had. */
async function watch(server: Server, until: number, share: () => number): Promise<Watched> {
  const rssMb: number[] = [];
  let notReady = 0;
  while (performance.now() < until) {
    rssMb.push(residentMb(server.pid).now);
    const ready = await fetch(`${server.url}/health/ready`).catch(() => undefined);
    await ready?.body?.cancel();
    if (ready?.status !== 200) notReady++;
    await sleep(1_000);
  }
  return { rssMb, notReady, hashing: share() };
}

type Result = {
  readonly spells: readonly Calm[];
  readonly flooded: readonly Flood[];
  readonly quiet: readonly Outcome[];
  readonly rssBefore: number;
};

function report({ spells, flooded, quiet, rssBefore }: Result): void {
  const logins = flooded.flatMap((one) => one.logins);
  const good = flooded.flatMap((one) => one.good);
  const reads = flooded.flatMap((one) => one.reads);
  const rssMb = flooded.flatMap((one) => one.rssMb);
  const total = (of: (one: Flood) => number): number => flooded.reduce((sum, one) => sum + of(one), 0);
  const sent = total((one) => one.sent);
  const refused = logins.filter(({ answer }) => answer?.status === 503);
  const polite = refused.filter(({ answer }) => /\r\nretry-after: \d/i.test(answer?.head ?? ''));
  const other = sent - refused.length - logins.filter(({ answer }) => answer?.status === 200).length;
  const readsBad = reads.filter(({ answer }) => answer?.status !== 200).length;
  const against = (during: readonly number[], calmly: readonly number[]): string => {
    const ratios = during.map((value, at) => value / (((calmly[at] ?? 0) + (calmly[at + 1] ?? 0)) / 2));
    return `${median(ratios).toFixed(3)} (${ratios.map((ratio) => ratio.toFixed(2)).join(', ')})`;
  };
  const [rates, calmRates] = [flooded.map((one) => one.good.length / seconds), spells.map((one) => one.perSecond)];
  const [shares, calmShares] = [flooded.map(({ hashing }) => hashing), spells.map(({ hashing }) => hashing)];
  const list = (values: readonly number[]): string => values.map((value) => value.toFixed(1)).join(', ');
  const row = (measure: string, value: string, target = '') => ({ measure, value, target });
  printTable(`${sent} logins in ${floods} floods of ${seconds} s, ${factor} times the best; one core`, [
    row('best without flood, before and after each', `${list(calmRates)} /s`),
    row('logins in the floods', `${list(rates)} /s`),
    row('flood / best before and after', against(rates, calmRates), '≥ 0.85'),
    row('hashing, share of CPU, flood / calm', against(shares, calmShares)),
    row('wait of a good login, p50 / p99', `${milliseconds(good, 0.5)} / ${milliseconds(good, 0.99)} ms`),
    row('refused with 503', `${((refused.length / sent) * 100).toFixed(1)} %`),
    row('of those, with Retry-After', `${((polite.length / refused.length) * 100).toFixed(1)} %`, '100 %'),
    row('time of a refusal, p50 / p99', `${milliseconds(refused, 0.5)} / ${milliseconds(refused, 0.99)} ms`),
    row('other answers or none', String(other), '0'),
    row('me, quiet, p50 / p99', `${milliseconds(quiet, 0.5)} / ${milliseconds(quiet, 0.99)} ms`),
    row('me, flooded, p50 / p99', `${milliseconds(reads, 0.5)} / ${milliseconds(reads, 0.99)} ms`, 'p99 < 100 ms'),
    row('me, other answers than 200', `${readsBad} of ${reads.length}`, '0'),
    row('readiness other than 200', `${total((one) => one.notReady)} of ${rssMb.length}`, '0'),
    row('memory before / most / at the end', memory(rssBefore, rssMb), 'bounded'),
    row('client connections', String(Math.max(...flooded.map(({ connections }) => connections)))),
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
