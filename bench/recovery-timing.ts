/**
 * Whether the answer to a request for a new password, or its time, tells who has the address; and
 * whether a mail server makes it slower. See README.md.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts } from './lib/accounts.ts';
import { type Answer, Connection, jsonRequest } from './lib/connection.ts';
import { createDatabase, type Database } from './lib/database.ts';
import { MailSink } from './lib/mail-sink.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { freePort, type Server, startReplica } from './lib/replica.ts';
import { mannWhitneyP, median, quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

const options = readOptions({ pairs: 300, 'warm-up': 10, pause: 10 });
const { pairs, 'warm-up': warmUp, pause } = options.numbers;
const rounds = pairs + warmUp;

/** What an address may be beside known and confirmed, and the SQL that makes accounts so. */
const others = {
  unknown: undefined,
  unverified: 'update users set email_verified = false where id = any($1)',
  deactivated: `update users set status = 'deactivated' where id = any($1)`,
  'over the limit': `insert into one_time_tokens (id, purpose, user_id, email_key, token_hash, ended_at)
    select gen_random_uuid(), 'password-reset', id, email_key, sha256((id::text || n)::bytea), now()
    from users, generate_series(1, 5) n where id = any($1)`,
} as const;
const withCodes = `insert into one_time_tokens (id, purpose, user_id, email_key, token_hash, code_hash)
  select gen_random_uuid(), 'password-reset', id, email_key, sha256((id::text || n)::bytea), sha256((n || id::text)::bytea)
  from users, generate_series(1, 3) n where id = any($1)`;
const otherNames = Object.keys(others) as (keyof typeof others)[];

type Setup = { readonly name: string; readonly database: Database; readonly server: Server };
/** One side of a comparison: its requests in the order of the pairs, and their times. */
type Side = { readonly requests: readonly string[]; readonly timesMs: number[]; readonly answers: Set<string> };
type Comparison = { readonly setup: Setup; readonly name: string; readonly sides: readonly [Side, Side] };

const hanging = await startHangingServer();
const sink = new MailSink(await freePort(), 0);
await sink.start();
const smtp = (port: number) => ({ MAIL: 'smtp', SMTP_URL: `smtp://127.0.0.1:${port}?starttls=off` });
const modes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  up: smtp(sink.port),
  refusing: smtp(await freePort()),
  hanging: smtp(hanging.port),
  file: { MAIL: 'file' },
  off: { MAIL: 'off' },
};
const setups: Setup[] = [];
try {
  setups.push(...(await Promise.all(Object.entries(modes).map(([name, env]) => start(name, env)))));
  note('all replicas run; accounts are made');
  const withMailServer = setups.slice(0, 3);
  const comparisons: Comparison[] = [];
  for (const setup of withMailServer) comparisons.push(...(await comparisonsOf(setup)));
  const [up, , , file, off] = setups as [Setup, Setup, Setup, Setup, Setup];
  const plain = await plainOf(file);
  const refused = await plainOf(off, '403');
  const wrongCodes = await wrongCodesOf(up);
  for (const { database } of setups) await database.pinBackends(options.loadCpu);
  pin(process.pid, options.loadCpu);

  await measure([...comparisons, plain, refused, wrongCodes]);
  const behind = await measureBehind(up);

  printTable(
    `POST /v1/auth/password-reset, ${pairs} interleaved pairs in random order`,
    comparisons.map((one) => ({ 'SMTP is': one.setup.name, 'known and': one.name, ...verdictOf(one) })),
  );
  printTable(`The confirmation with a wrong code, ${pairs} pairs`, [
    { 'known and': 'unknown', ...verdictOf(wrongCodes) },
  ]);
  const pooled = (of: readonly Comparison[]): number[] =>
    of.flatMap(({ sides }) => sides.flatMap((one) => one.timesMs));
  const base = pooled([plain]);
  const row = (name: string, timesMs: readonly number[]) => ({
    'MAIL, SMTP': name,
    count: timesMs.length,
    'median ms': median(timesMs).toFixed(2),
    'p99 ms': quantile(timesMs, 0.99).toFixed(2),
    'median − file': (median(timesMs) - median(base)).toFixed(2),
    'p99 − file': (quantile(timesMs, 0.99) - quantile(base, 0.99)).toFixed(2),
  });
  printTable('What a mail server adds to the request (target: ≤ 10 ms)', [
    row('file', base),
    ...withMailServer.map(({ name }) =>
      row(`smtp, ${name}`, pooled(comparisons.filter((one) => one.setup.name === name))),
    ),
    row('off (403, writes nothing)', pooled([refused])),
  ]);
  printTable('Another request right behind one for a known or an unknown address, SMTP up (no target)', [behind]);
} finally {
  for (const { server, database } of setups) {
    await server.stop();
    await database.drop();
  }
  await sink.stop();
  await hanging.stop();
}

async function start(name: string, env: Readonly<Record<string, string>>): Promise<Setup> {
  const database = await createDatabase(options.database);
  const server = await startReplica(options, {
    databaseUrl: database.url,
    env: { ...env, MAIL_FROM: 'id@example.org' },
  });
  return { name, database, server };
}

/** Takes connections and says nothing, ever. */
async function startHangingServer(): Promise<{ readonly port: number; readonly stop: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const port = await freePort();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  return { port, stop };
}

function request(email: string): string {
  return jsonRequest('POST', '/v1/auth/password-reset', { email });
}

function sideOf(requests: readonly string[]): Side {
  return { requests, timesMs: [], answers: new Set() };
}

/** Addresses of new accounts, each for one request, so that none is over the limit by itself. */
async function addresses({ server, database }: Setup, statement?: string): Promise<readonly string[]> {
  const accounts = await seedAccounts(server, database, rounds);
  const ids = accounts.map(({ id }) => id);
  await database.query('update users set email_verified = true where id = any($1)', [ids]);
  if (statement !== undefined) await database.query(statement, [ids]);
  return accounts.map(({ userName }) => `${userName}@example.org`);
}

/** As long as one that is known. */
function unknownAddresses(): readonly string[] {
  const prefix = `other${randomBytes(3).toString('hex')}`;
  return Array.from({ length: rounds }, (_, at) => `${prefix}x${at + 1}@example.org`);
}

async function comparisonsOf(setup: Setup): Promise<readonly Comparison[]> {
  const made: Comparison[] = [];
  for (const name of otherNames) {
    const known = await addresses(setup);
    const other = name === 'unknown' ? unknownAddresses() : await addresses(setup, others[name]);
    made.push({ setup, name, sides: [sideOf(known.map(request)), sideOf(other.map(request))] });
  }
  return made;
}

/** Known and unknown, to compare the whole with. */
async function plainOf(setup: Setup, status = '202'): Promise<Comparison> {
  const known = (await addresses(setup)).map(request);
  return { setup, name: status, sides: [sideOf(known), sideOf(unknownAddresses().map(request))] };
}

async function wrongCodesOf(setup: Setup): Promise<Comparison> {
  const known = await addresses(setup, withCodes);
  const confirm = (email: string): string =>
    jsonRequest('POST', '/v1/auth/password-reset/confirm', { email, code: '47110815', password: 'bench-Another-9137' });
  return { setup, name: 'wrong code', sides: [sideOf(known.map(confirm)), sideOf(unknownAddresses().map(confirm))] };
}

/** Every round has each request of each comparison once, in an order of its own. */
async function measure(all: readonly Comparison[]): Promise<void> {
  const lanes = new Map<Setup, Connection>();
  for (const { setup } of all) lanes.set(setup, lanes.get(setup) ?? (await Connection.open(setup.server.port)));
  for (let at = 0; at < rounds; at++) {
    const due = all.flatMap(({ setup, sides }) => sides.map((side) => ({ lane: lanes.get(setup), side })));
    for (const { lane, side } of shuffled(due)) {
      if (!lane) continue;
      const [timeMs, answer] = await time(lane, side.requests[at] ?? '');
      if (at >= warmUp) side.timesMs.push(timeMs);
      side.answers.add(seen(answer));
      // what the request before has set off is over then
      await sleep(pause);
    }
    if ((at + 1) % 50 === 0) note(`${at + 1} of ${rounds} rounds`);
  }
  for (const lane of lanes.values()) lane.close();
}

/** The next request waits for nothing: does it feel the mail that the one before has set off? */
async function measureBehind(setup: Setup): Promise<Readonly<Record<string, string>>> {
  const [known, unknown, own] = [await addresses(setup), unknownAddresses(), unknownAddresses()];
  const [afterKnown, afterUnknown]: [number[], number[]] = [[], []];
  const lane = await Connection.open(setup.server.port);
  for (let at = 0; at < rounds; at++) {
    const sides = [
      { email: known[at] ?? '', timesMs: afterKnown },
      { email: unknown[at] ?? '', timesMs: afterUnknown },
    ];
    for (const { email, timesMs } of shuffled(sides)) {
      await lane.send(request(email));
      const [timeMs] = await time(lane, request(own[at] ?? ''));
      if (at >= warmUp) timesMs.push(timeMs);
      await sleep(2 * pause);
    }
  }
  lane.close();
  return {
    'median ms behind known': median(afterKnown).toFixed(2),
    'behind unknown': median(afterUnknown).toFixed(2),
    'Mann–Whitney p': mannWhitneyP(afterKnown, afterUnknown).toFixed(4),
  };
}

async function time(lane: Connection, text: string): Promise<readonly [number, Answer]> {
  const sentAt = performance.now();
  const answer = await lane.send(text);
  return [performance.now() - sentAt, answer];
}

/** All of an answer but what is its own: its id, its time, and which limit is nearest. */
function seen({ head, body }: Answer): string {
  const own = /^(?:date|x-request-id|ratelimit|ratelimit-policy): .*$/gim;
  return `${head.replaceAll(own, '')}\n${body.replace(/"(?:requestId|instance)":"[^"]*"/g, '')}`;
}

function verdictOf({ sides: [known, other] }: Comparison): Readonly<Record<string, string>> {
  const isSame = new Set([...known.answers, ...other.answers]).size === 1;
  return {
    answers: isSame ? `the same, ${[...known.answers][0]?.slice(9, 12)}` : 'DIFFERENT',
    'median ms known': median(known.timesMs).toFixed(2),
    'median ms other': median(other.timesMs).toFixed(2),
    'Mann–Whitney p (target > 0.01)': mannWhitneyP(known.timesMs, other.timesMs).toFixed(4),
  };
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((left, right) => left.place - right.place)
    .map(({ item }) => item);
}
