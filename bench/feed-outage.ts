/**
 * The way to Gatehouse is interrupted while tokens go on being revoked, and comes back: what
 * verifiers do meanwhile, and what they have missed. See README.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { createDatabase } from './lib/database.ts';
import { type Doomed, doomers, freshAdmin, type Ground } from './lib/doomed.ts';
import { openFeedWay } from './lib/feed-way.ts';
import { readOptions } from './lib/options.ts';
import { startReplica } from './lib/replica.ts';
import { createService, createVerifyingService } from './lib/services.ts';
import { note, printTable } from './lib/table.ts';
import { monotonicMs, type Run, startVerifier, type VerifierProcess } from './lib/verifiers.ts';

type Policy = 'refuse' | 'introspect' | 'allow';
type Interruption = 'refused' | 'silent' | 'none';
type Subject = {
  readonly name: string;
  readonly policy: Policy;
  readonly way: Interruption;
  readonly verifier: VerifierProcess;
};
/** When the request that ended it was answered; all times are of the monotonic clock. */
type Ended = Doomed & { readonly answeredMs: number };

const afterMs = 2_000;
/** How far from `afterMs` staleness may begin; also how late a revocation may be heard. */
const toleranceMs = 1_000;
const [goodEveryMs, doomedEveryMs] = [50, 1_000];
/** So long a stream or a request that hangs keeps a verifier from coming back, and more. */
const recoverMs = 15_000;
/** Of tokens that expire while they are still looked at by a clock that is behind. */
const [shortTtlSeconds, clockOffMs] = [30, 60_000];

const options = readOptions({ seconds: 60, revocations: 40 });
const { seconds, revocations } = options.numbers;
const database = await createDatabase(options.database);
const cpu = `${options.serverCpu},${options.loadCpu}`;
const start = (ttl: number) =>
  startReplica(options, { databaseUrl: database.url, cpu, env: { ACCESS_TOKEN_TTL_SECONDS: String(ttl) } });
const [a, b] = [await start(3_600), await start(3_600)];
const ways = { refused: await openFeedWay(b.port), silent: await openFeedWay(b.port) };
const subjects: Subject[] = [];
const failures: string[] = [];
try {
  await run();
} finally {
  await Promise.all(subjects.map(({ verifier }) => verifier.stop()));
  for (const way of Object.values(ways)) way.close();
  await Promise.all([a.stop(), b.stop()]);
  await database.drop();
}
console.log(failures.length === 0 ? 'as promised' : `MISSED: ${failures.join('; ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;

async function run(): Promise<void> {
  const admin = await freshAdmin(a);
  const ground = { server: a, database, by: await createService(a, admin, 'bench-revoker', {}) };
  await startSubjects(await createVerifyingService(a, admin, 'bench-orders'));
  const [good] = (await signIn(a.port, (await seedAccounts(a, database, 1)).slice(0, 1))).map((one) => one.accessToken);
  if (good === undefined) throw new Error('nobody signed in');
  const todo = await doomInTurn(ground);
  const short = await doomShort(ground);
  const doomed = [...todo, ...short].map(({ token }) => token);
  await Promise.all(subjects.map(({ verifier }) => watch(verifier, good, doomed)));
  const before = [...short, ...todo.splice(0, 5)];
  const ended = await endAll(before, 1_000);
  note(`${ended.length} ended before; cut for ${seconds} s`);
  const views = await Promise.all(subjects.map(({ verifier }) => verifier.ask('view', {})));
  const cutMs = monotonicMs();
  for (const how of ['refused', 'silent'] as const) ways[how].interrupt(how);
  const last = todo.splice(-5);
  ended.push(...(await endAll(todo, seconds * 1_000)));
  await sleep(Math.max(0, cutMs + seconds * 1_000 - monotonicMs()));
  const backMs = monotonicMs();
  for (const way of Object.values(ways)) way.restore();
  note('back');
  await sleep(recoverMs);
  ended.push(...(await endAll(last, 500)));
  await sleep(toleranceMs);
  const rows = [];
  for (const [at, subject] of subjects.entries()) {
    const ageMs = views[at]?.ageMs ?? Infinity;
    rows.push(await rowOf(subject, good, { ended, cutMs, backMs, ageMs }));
  }
  printTable(`Cut for ${seconds} s; ${ended.length} tokens revoked before, meanwhile and afterwards`, rows);
  console.log(
    `too old after ${afterMs} ms; targets: ${afterMs} ± ${toleranceMs} ms, nothing accepted wrongly, none missed`,
  );
}

async function startSubjects(serviceKey: string): Promise<void> {
  const policies = ['refuse', 'introspect', 'allow'] as const;
  for (const way of ['refused', 'silent'] as const) {
    for (const policy of policies) {
      const staleness = { afterMs, then: policy };
      const given = { url: ways[way].url, staleness, introspectAt: b.url };
      subjects.push({
        name: `${policy}, ${way}`,
        policy,
        way,
        verifier: startVerifier(options.app, serviceKey, given),
      });
    }
  }
  for (const clockMs of [-clockOffMs, clockOffMs]) {
    const verifier = startVerifier(options.app, serviceKey, {
      url: b.url,
      clockMs,
      staleness: { afterMs, then: 'refuse' },
    });
    subjects.push({ name: `clock ${clockMs / 1_000} s, not cut`, policy: 'refuse', way: 'none', verifier });
  }
  await Promise.all(subjects.map(({ verifier }) => verifier.ask('ready', {})));
}

/** One kind after the other. */
async function doomInTurn(ground: Ground): Promise<Doomed[]> {
  const names = Object.keys(doomers);
  const each = Math.ceil(revocations / names.length);
  const all: (readonly Doomed[])[] = [];
  for (const doom of Object.values(doomers)) all.push(await doom(ground, each));
  return Array.from({ length: each }, (_, at) => all.flatMap((of) => of[at] ?? [])).flat();
}

/** Their tokens expire while they are looked at. */
async function doomShort(ground: Ground): Promise<readonly Doomed[]> {
  const server = await start(shortTtlSeconds);
  const doomed = (await doomers['token']?.({ ...ground, server }, 5)) ?? [];
  await server.stop();
  return doomed;
}

async function watch(verifier: VerifierProcess, good: string, doomed: readonly string[]): Promise<void> {
  const outcomes = await verifier.ask('judge', { tokens: [good, ...doomed] });
  if (outcomes.some((outcome) => outcome !== 'good' && outcome !== 'expired'))
    throw new Error(`not good to begin with: ${String(outcomes)}`);
  await verifier.ask('track', { tokens: [good], everyMs: goodEveryMs });
  await verifier.ask('track', { tokens: doomed, everyMs: doomedEveryMs });
}

/** One after the other, spread over so long. */
async function endAll(doomed: readonly Doomed[], forMs: number): Promise<Ended[]> {
  const ended: Ended[] = [];
  for (const one of doomed) {
    await one.end(a);
    ended.push({ ...one, answeredMs: monotonicMs() });
    await sleep(Math.max(0, forMs / doomed.length - 20));
  }
  return ended;
}

type Course = {
  readonly ended: readonly Ended[];
  readonly cutMs: number;
  readonly backMs: number;
  /** How old what the verifier knew was at the cut: up to a heartbeat. */
  readonly ageMs: number;
};

async function rowOf({ name, policy, way, verifier }: Subject, good: string, course: Course) {
  const { ended, cutMs, backMs, ageMs } = course;
  const [ofGood = []] = await verifier.ask('untrack', { tokens: [good] });
  const tokens = ended.map(({ token }) => token);
  const runs = await verifier.ask('untrack', { tokens });
  const expected = { refuse: 'stale', allow: 'stale, accepted', introspect: 'good' }[policy];
  const since = (outcome: string, fromMs: number): number =>
    (ofGood.find((run) => run.outcome === outcome && run.lastBegunMs > fromMs)?.firstDoneMs ?? Infinity) - fromMs;
  const isCut = way !== 'none' && policy !== 'introspect';
  const staleMs = isCut ? since(expected, cutMs) : undefined;
  const otherwise = count(ofGood, (run) => run.outcome !== 'good' && (run.outcome !== expected || way === 'none'));
  const wrongly = ended.flatMap((one, at) => (runs[at] ?? []).filter((run) => isWrong(run, one, course)));
  const toldSo = runs.flat().filter(({ outcome }) => outcome === 'stale, accepted').length;
  const final = await verifier.ask('judge', { tokens });
  const missed = final.filter((outcome) => outcome !== 'revoked' && outcome !== 'expired').length;
  const { entries, stale } = await verifier.ask('view', {});
  if (
    staleMs !== undefined &&
    !(Math.abs(staleMs + ageMs - afterMs) <= toleranceMs && staleMs <= afterMs + toleranceMs)
  ) {
    failures.push(`${name}: stale ${staleMs.toFixed(0)} ms after the cut`);
  }
  for (const [what, many] of Object.entries({ 'accepted wrongly': wrongly.length, missed, otherwise })) {
    if (many > 0) failures.push(`${name}: ${many} ${what}`);
  }
  return {
    verifier: name,
    'stale after the cut, ms': staleMs?.toFixed(0) ?? '',
    'age then, ms': staleMs === undefined ? '' : (staleMs + ageMs).toFixed(0),
    'fresh again after, ms': isCut ? since('good', backMs).toFixed(0) : '',
    'good token judged otherwise': otherwise,
    'accepted wrongly': wrongly.length,
    'accepted and said to be stale': toldSo,
    'missed at the end': missed,
    'times stale': stale,
    entries,
  };
}

function count(runs: readonly Run[], is: (run: Run) => boolean): number {
  return runs.filter(is).reduce((sum, run) => sum + run.count, 0);
}

/** Accepted without a word that it may be too late, later than it is promised. */
function isWrong({ outcome, lastBegunMs }: Run, { answeredMs }: Ended, { cutMs }: Course): boolean {
  if (outcome !== 'good') return false;
  // what was known at the cut may be taken for true until it is too old
  const staleFromMs = answeredMs > cutMs - toleranceMs ? cutMs + afterMs : 0;
  return lastBegunMs > Math.max(answeredMs, staleFromMs) + toleranceMs;
}
