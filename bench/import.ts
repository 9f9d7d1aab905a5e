/**
 * How fast users are brought in, in how much memory, and what is left of an import
 * that is killed. See README.md.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createDatabase, type Database } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { cpuSeconds, residentMb } from './lib/process-usage.ts';
import { masterKey } from './lib/replica.ts';
import { note, printTable } from './lib/table.ts';

/** `npm run cli` gives these to Node. */
const shippedFlags = ['--max-semi-space-size=8'];
const tenths = 10;

type Run = {
  readonly seconds: number;
  readonly tenthSeconds: readonly number[];
  readonly peakMb: number;
  readonly cpu: number;
};

const options = readOptions({ rows: 1_000_000 }, ['subjects']);
const hasSubjects = options.flags.has('subjects');
const { rows } = options.numbers;
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-import-'));
const file = join(folder, 'users.ndjson');
const databases: Database[] = [];
try {
  note(`writing ${rows} rows`);
  const marks = await generate();
  const whole = await measured(await migrated(), marks);
  const resumed = await killedAndRunAgain(await migrated(), marks);
  report(whole, resumed);
} finally {
  for (const database of databases) await database.drop();
  rmSync(folder, { recursive: true, force: true });
}

async function migrated(): Promise<Database> {
  const database = await createDatabase(options.database);
  databases.push(database);
  const child = start(database, ['migrate']);
  await once(child, 'close');
  return database;
}

/** @returns how many bytes the file has at the end of each tenth of its rows */
async function generate(): Promise<readonly number[]> {
  const out = createWriteStream(file);
  const marks: number[] = [];
  let bytes = 0;
  for (let at = 0; at < rows; at++) {
    const line = `${JSON.stringify(row(at))}\n`;
    bytes += line.length;
    if ((at + 1) % (rows / tenths) === 0) marks.push(bytes);
    if (!out.write(line)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
  return marks;
}

/** As they come from a service that is eight years old: not in the order of their creation. */
function row(at: number): object {
  const digest = at.toString(36).padStart(9, '0') + 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  const uuid = hash('md5', `${at}`).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5');
  return {
    ...(hasSubjects && { id: uuid, subject: `auth0|${digest.slice(0, 24)}` }),
    externalId: `legacy-${at}`,
    userName: `user${at}`,
    firstName: `Ada${at % 97}`,
    lastName: 'Lovelace',
    email: `user${at}@example.org`,
    roles: ['user'],
    status: at % 50 === 0 ? 'deactivated' : 'active',
    createdAt: new Date(1.5e12 + ((at * 7_919_000) % 2.5e11)).toISOString(),
    passwordHash: `$2b$12$${digest.slice(0, 53)}`,
  };
}

function start({ url }: Database, command: readonly string[]): ChildProcess {
  const node = join(options.app, 'node_modules/.bin/node');
  const env = { PATH: process.env['PATH'], DATABASE_URL: url, DATA_DIR: folder, MASTER_KEY: masterKey };
  return spawn(node, [...shippedFlags, 'dist/apps/cli/src/main.js', ...command], {
    cwd: options.app,
    env,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
}

/**
 * Feeds the file through a pipe, which takes what the import can take, and
 * looks when each tenth has gone in.
 */
async function measured(database: Database, marks: readonly number[]): Promise<Run> {
  const child = start(database, ['users', 'import', '-']);
  let usage = { peakMb: 0, cpu: 0 };
  const watch = setInterval(() => {
    const pid = child.pid ?? 0;
    if (child.exitCode !== null) return;
    const { peak } = residentMb(pid);
    // a process that has just ended has no memory any more
    if (peak > 0) usage = { peakMb: peak, cpu: cpuSeconds(pid) };
  }, 100);
  const ended = once(child, 'close');
  const times = await feed(child, marks);
  await ended;
  clearInterval(watch);
  const end = performance.now();
  const [first = 0] = times;
  const ends = [...times.slice(1, -1), end];
  const tenthSeconds = ends.map((time, at) => (time - (times[at] ?? first)) / 1_000);
  return { seconds: (end - first) / 1_000, tenthSeconds, ...usage };
}

/** The time of the first byte that was taken, and of the end of each tenth. */
async function feed(child: ChildProcess, marks: readonly number[], until = Infinity): Promise<number[]> {
  const times: number[] = [];
  let bytes = 0;
  const { stdin } = child;
  if (!stdin) throw new Error('no pipe');
  stdin.on('error', () => undefined);
  for await (const chunk of createReadStream(file)) {
    bytes += chunk.length;
    // the pipe holds the first chunk before anybody reads it: what counts
    // is when it takes the second one
    if (!stdin.write(chunk)) await once(stdin, 'drain');
    if (times.length === 0) times.push(performance.now());
    while (bytes >= (marks[times.length - 1] ?? Infinity)) times.push(performance.now());
    if (bytes >= until) return times;
  }
  stdin.end();
  return times;
}

async function killedAndRunAgain(
  database: Database,
  marks: readonly number[],
): Promise<{ before: number; after: number }> {
  note('killing it half way');
  const half = marks[tenths / 2 - 1] ?? 0;
  const child = start(database, ['users', 'import', '-']);
  await feed(child, marks, half);
  child.kill('SIGKILL');
  await once(child, 'close');
  const before = await countIn(database);
  await measured(database, marks);
  return { before, after: await countIn(database) };
}

async function countIn(database: Database): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    'select count(distinct external_id)::int as n from users where external_id is not null',
  );
  return row?.n ?? 0;
}

function report(run: Run, { before, after }: { before: number; after: number }): void {
  const [first = NaN] = run.tenthSeconds;
  const last = run.tenthSeconds.at(-1) ?? NaN;
  printTable(`${rows} rows with bcrypt hashes${hasSubjects ? ', ids and subjects' : ''}, from a pipe`, [
    { measure: 'rows/s', value: (rows / run.seconds).toFixed(0), target: '≥ 20000' },
    { measure: 'last tenth over first, time', value: (last / first).toFixed(2), target: '≤ 1.2' },
    {
      measure: 'slowest tenth over fastest',
      value: (Math.max(...run.tenthSeconds) / Math.min(...run.tenthSeconds)).toFixed(2),
      target: '',
    },
    { measure: 'peak memory, MB', value: run.peakMb.toFixed(0), target: '< 300' },
    { measure: 'CPU of the import, µs/row', value: ((run.cpu / rows) * 1e6).toFixed(1), target: '' },
    { measure: 'there after kill -9 half way', value: before, target: '' },
    { measure: 'there after it ran again', value: after, target: `${rows}` },
  ]);
  console.log(`tenths, s: ${run.tenthSeconds.map((seconds) => seconds.toFixed(2)).join(' ')}`);
}
