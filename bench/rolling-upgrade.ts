/**
 * An older version and this one side by side on one database: who is refused, who should be, and
 * how long the migration holds others up. Ends with 1 when anything was wrong. See README.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn, signInAdmin, userPassword } from './lib/accounts.ts';
import { type Backend, failedOf, newTraffic, openBalancer, whichOf } from './lib/balancer.ts';
import { call, WrongAnswerError } from './lib/call.ts';
import { cleanUp, onEnd } from './lib/clean-up.ts';
import { createDatabase, type Database } from './lib/database.ts';
import { build, checkOut } from './lib/older-checkout.ts';
import { readOptions } from './lib/options.ts';
import { type Server, startReplica } from './lib/replica.ts';
import { quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';
import { isReady } from './lib/trust.ts';
import { TrustBoard } from './lib/trust-board.ts';
import { exportUsers, rotateKeys } from './lib/upgrade-cli.ts';
import { ends, services } from './lib/upgrade-ends.ts';
import { measureMigration } from './lib/upgrade-migration.ts';
import { meetNewerRows, type Newer, writeNewerEntries } from './lib/upgrade-newer.ts';
import type { Stage, Step } from './lib/upgrade-stage.ts';
import { reads, writes } from './lib/upgrade-uses.ts';
import { work } from './lib/upgrade-work.ts';

const options = readOptions({ rows: 200_000, drain: 2, calm: 2, clients: 6, lanes: 6 }, [], { from: 'b04b626' });
const { rows, drain, calm, clients, lanes } = options.numbers;
const scopes = ['users:read', 'users:write', 'tokens:introspect', 'tokens:revoke', 'messages:read'];
const steps = [...reads, ...writes, ...ends, ...services];
const people = 3 * 4 * steps.length;

/** The machine is for the steps: people at work only see that none is refused. */
const pauseMs = 40;
const board = new TrustBoard();
const wrong: string[] = [];
const rowsOfSteps = new Map<string, Record<string, string>>();
const traffic = newTraffic(pauseMs);
const facts: Record<string, string | number>[] = [];
let newer: readonly Newer[] = [];
let [unique, hasReported] = [0, false];

function fact(what: string, result: string | number, isWrong = false): void {
  facts.push({ what, result });
  if (isWrong) wrong.push(`${what}: ${result}`);
}

/** Plays every step, some at once, and asks every replica for the last tokens after each. */
async function play(direction: string, stage: Stage, all: readonly Server[]): Promise<void> {
  note(`${direction}: ${steps.length} steps`);
  const todo = steps.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const step of todo) await playStep(direction, step, stage, all);
    }),
  );
  await board.checkAll(all);
}

async function playStep(direction: string, { name, run }: Step, stage: Stage, all: readonly Server[]): Promise<void> {
  let isRight = true;
  try {
    await run(stage);
  } catch (error) {
    isRight = false;
    const complaint = `${direction}, ${name}: ${error instanceof Error ? error.message : String(error)}`;
    note(complaint);
    wrong.push(complaint);
  }
  await board.checkRecent(all);
  const row = rowsOfSteps.get(name) ?? { step: name };
  row[direction] = isRight ? 'right' : 'WRONG';
  rowsOfSteps.set(name, row);
}

async function upgrade(database: Database, old: string): Promise<void> {
  const start = (app: string): Promise<Server> =>
    startReplica(
      { ...options, app },
      {
        databaseUrl: database.url,
        cpu: '0-1',
        env: { DRAIN_DELAY_SECONDS: String(drain), MAX_LOOP_DELAY_MS: '60000' },
      },
    );
  const [first, second] = [await start(old), await start(old)];
  const accounts = [...(await seedAccounts(first, database, people + clients))];
  const workers = accounts.splice(0, clients);
  const key = await makeService(first);
  const stage = async (at: Server, other: Server): Promise<Stage> => ({
    at,
    other,
    board,
    key,
    admin: (await signInAdmin(at)).accessToken,
    unique: () => `u${unique++}${Date.now().toString(36)}`,
    newcomer: () => {
      const account = accounts.pop();
      if (!account) throw new Error('too few people');
      return account;
    },
  });

  const backends: Backend[] = [first, second].map((server) => ({ server, isReady: true }));
  const balancer = await openBalancer(backends);
  onEnd(() => balancer.close());
  const working = work(balancer.port, traffic, workers, await signIn(first.port, workers));
  await play('old, old', await stage(first, second), [first, second]);

  const third = await start(options.app);
  fact('the new replica beside two old ones, s until ready', (third.readyMs / 1_000).toFixed(1));
  backends.push({ server: third, isReady: true });
  const mixed = [first, second, third];
  await board.checkAll(mixed);
  await play('old, new', await stage(first, third), mixed);
  await play('new, old', await stage(third, second), mixed);
  await operate(database, old, mixed);
  await entriesOfNewKinds(database, mixed);

  const again = await start(old);
  await board.checkAll([...mixed, again]);
  fact('a replica of the old version, started after the migration', 'ready');
  await again.stop();

  const fourth = await start(options.app);
  backends.push({ server: fourth, isReady: true });
  for (const server of [first, second]) {
    await sleep(calm * 1_000);
    await server.stop();
    backends.splice(
      backends.findIndex((backend) => backend.server === server),
      1,
    );
    await board.checkAll(backends.map((backend) => backend.server));
  }
  await sleep(calm * 1_000);
  traffic.isOver = true;
  await working;
  await play('new, new', await stage(third, fourth), [third, fourth]);

  const late = await start(old);
  newer = await meetNewerRows(await stage(late, third), database);
  await late.stop();
  await makeRole(third, fourth);
  await call(third, '/v1/auth/revoke-all', {
    method: 'POST',
    token: (await signInAdmin(third)).accessToken,
    expect: 204,
  });
  board.allEnded('everything revoked');
  await board.checkAll([third, fourth]);
  await signInAdmin(fourth);
  for (const server of [third, fourth]) await server.stop();
}

async function makeService(server: Server): Promise<string> {
  const token = (await signInAdmin(server)).accessToken;
  const body = { name: 'upgrade', scopes };
  return `upgrade.${(await call(server, '/v1/services', { method: 'POST', token, body, expect: 201 })).secret}`;
}

/** Commands of both versions: exports name the same users, and keys of either sign for both. */
async function operate(database: Database, old: string, mixed: readonly Server[]): Promise<void> {
  const versions = [old, options.app].map((folder) => ({ folder, databaseUrl: database.url }));
  note('commands of both versions');
  const [byOld, byNew] = await Promise.all(versions.map(exportUsers));
  const isSame = JSON.stringify(byOld) === JSON.stringify(byNew);
  fact('users exported by both versions', isSame ? `${byNew?.length ?? 0}, the same` : 'others', !isSame);
  for (const version of versions) {
    await rotateKeys(version);
    for (const server of mixed) board.good('signed by a rotated key', (await signInAdmin(server)).accessToken);
    await board.checkAll(mixed);
  }
  fact('keys rotated by each version', 'tokens of all replicas are good');
}

async function entriesOfNewKinds(database: Database, mixed: readonly Server[]): Promise<void> {
  note('entries of kinds that the old version does not know');
  const until = performance.now() + 3_000;
  let notReady = 0;
  while (performance.now() < until) {
    await writeNewerEntries(database);
    await board.checkRecent(mixed);
    for (const server of mixed) if (!(await isReady(server))) notReady++;
  }
  fact('entries of roles and services: replicas not ready', notReady, notReady > 0);
}

async function makeRole(at: Server, other: Server): Promise<void> {
  const token = (await signInAdmin(at)).accessToken;
  const body = { name: 'reviewer', permissions: ['reviews:write'] };
  try {
    await call(at, '/v1/roles', { method: 'POST', token, body, expect: 201 });
  } catch (error) {
    const isMissing = error instanceof WrongAnswerError && error.status === 404;
    fact('a role made when all are new', isMissing ? 'this version has no route for it' : String(error), !isMissing);
    return;
  }
  const user = { userName: `reviewer${Date.now()}`, firstName: 'R', lastName: 'R', password: userPassword };
  await call(other, '/v1/users', {
    method: 'POST',
    token,
    body: { ...user, roles: ['user', 'reviewer'] },
    expect: 201,
  });
  const login = { method: 'POST', body: { userName: user.userName, password: userPassword } };
  board.good('with a new role', (await call(at, '/v1/auth/login', login)).accessToken);
  await board.checkAll([at, other]);
  fact('a role made when all are new', 'given, and its tokens are good');
}

/** Also of a run that is stopped: what was wrong until then. */
function report(commit: string): void {
  if (hasReported) return;
  hasReported = true;
  printTable(`${commit} and this version side by side; who acts, and beside whom`, [...rowsOfSteps.values()]);
  const { latenciesMs } = traffic;
  const failed = failedOf(traffic);
  fact('requests of people at work meanwhile', latenciesMs.length);
  fact('of these failed', failed === 0 ? 0 : `${failed} (${whichOf(traffic)})`, failed > 0);
  fact(
    'p99 and slowest of these, ms',
    `${quantile(latenciesMs, 0.99).toFixed(0)}, ${Math.max(...latenciesMs).toFixed(0)}`,
  );
  fact('good tokens asked for, all accepted', board.accepted);
  fact('ended tokens asked for, all refused', board.refused);
  fact('an ended token was last accepted after, ms', board.lastAcceptMs.toFixed(0));
  printTable('Facts', facts);
  if (newer.length > 0) printTable('What is for new replicas alone, beside an old one', newer);
}

try {
  build(options.app, options.app);
  const { folder, commit, remove } = checkOut(options.app, options.texts['from'] ?? '');
  onEnd(remove);
  onEnd(() => report(commit));
  const database = await createDatabase(options.database);
  onEnd(() => database.drop());
  await upgrade(database, folder);
  wrong.push(...board.wrong, ...newer.filter(({ says }) => says.startsWith('WRONG')).map(({ token }) => token));
  report(commit);
  if (rows > 0) {
    const measured = [];
    for (const reader of [false, true]) measured.push(...(await measureMigration(options, folder, rows, reader)));
    wrong.push(...measured.filter(({ failed }) => failed !== 0).map((row) => `${row['requests']}: ${row['which']}`));
    printTable('The migration under requests to the old version', measured);
  }
  console.log(wrong.length === 0 ? '\nNothing was wrong.' : `\nWRONG:\n${wrong.join('\n')}`);
} catch (error) {
  console.error(error);
  wrong.push('it did not come to its end');
} finally {
  await cleanUp();
}
process.exit(wrong.length === 0 ? 0 : 1);
