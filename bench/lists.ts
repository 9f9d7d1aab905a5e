/**
 * Lists, look-ups and searches at 1,000,000 users against 10,000, and a page of 50
 * against the floor. See README.md.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { signInAdmin } from './lib/accounts.ts';
import { Connection, jsonRequest } from './lib/connection.ts';
import { createDatabase, type Database } from './lib/database.ts';
import { fillUsers } from './lib/fill-users.ts';
import { closedLoop } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { cpuSeconds, pin } from './lib/process-usage.ts';
import { type Server, startFloor, startReplica } from './lib/replica.ts';
import { median, quantile, spread } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

type Side = { readonly server: Server; readonly database: Database; readonly users: number; readonly token: string };
/** A path of each turn; `users` are names that exist. */
type Kind = { readonly name: string; readonly target: string; path(side: Side, turn: number): string };

const options = readOptions({ few: 10_000, many: 1_000_000, times: 150, rounds: 7, seconds: 2 });
const { few, many, times, rounds, seconds } = options.numbers;
const schemaFile = join(mkdtempSync(join(tmpdir(), 'bench-')), 'profile.schema.json');
writeFileSync(
  schemaFile,
  JSON.stringify({ type: 'object', properties: { department: { type: 'string', 'x-filter': true } } }),
);
const databases: Database[] = [];
const servers: Server[] = [];
const names = new Map<Side, readonly string[]>();
const cursors = new Map<Side, string>();
try {
  pin(process.pid, options.loadCpu);
  const sides = [await prepare(few), await prepare(many)] as const;
  await compareSizes(sides);
  await compareWithFloor(sides[1]);
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  for (const database of databases) await database.drop();
}

async function prepare(users: number): Promise<Side> {
  const database = await createDatabase(options.database);
  databases.push(database);
  const server = await startReplica(options, { databaseUrl: database.url, env: { PROFILE_SCHEMA_FILE: schemaFile } });
  servers.push(server);
  note(`making ${users} users`);
  await fillUsers(database, users, 'none', 'with-profiles');
  const { accessToken: token } = await signInAdmin(server);
  const side = { server, database, users, token };
  const found = await database.query<{ name: string }>(
    'select user_name_key as name from users tablesample bernoulli (10) where email is not null limit 500',
  );
  names.set(
    side,
    found.map(({ name }) => name),
  );
  cursors.set(side, await cursorAt(side, users / 2));
  await database.pinBackends(options.loadCpu);
  return side;
}

/**
 * A cursor as the service would give it for the page before: the digest of its query
 * is in any cursor of that query.
 */
async function cursorAt({ server, database, token }: Side, depth: number): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${server.url}/v1/users?limit=1`, { headers });
  const { nextCursor } = (await answer.json()) as { nextCursor: string };
  const [digest] = JSON.parse(Buffer.from(nextCursor, 'base64url').toString());
  const [row] = await database.query<{ ms: number; id: string }>(
    `select (extract(epoch from created_at) * 1000)::float8 as ms, id from users
    order by created_at desc, id desc offset $1 limit 1`,
    [depth],
  );
  return Buffer.from(JSON.stringify([digest, row?.ms, row?.id])).toString('base64url');
}

async function compareSizes(sides: readonly [Side, Side]): Promise<void> {
  const nameOf = (side: Side, turn: number): string => {
    const all = names.get(side) ?? [];
    return all[turn % all.length] ?? '';
  };
  const goal = '≤ 1.5';
  const list = (query: string) => () => `/v1/users?limit=50&${query}`;
  const kinds: readonly Kind[] = [
    { name: 'first page', target: goal, path: list('') },
    { name: 'page half way down', target: goal, path: (side) => `/v1/users?limit=50&cursor=${cursors.get(side)}` },
    { name: 'first page by name', target: goal, path: list('sort=userName') },
    { name: 'exact: userName', target: goal, path: (side, turn) => `/v1/users?userName=${nameOf(side, turn)}` },
    { name: 'exact: email', target: goal, path: (side, turn) => `/v1/users?email=${nameOf(side, turn)}@example.org` },
    { name: 'status=deactivated', target: goal, path: list('status=deactivated') },
    { name: 'q of 10 % (schmidt)', target: goal, path: list('q=schmidt') },
    { name: 'q of 1.4 % (noether)', target: goal, path: list('q=noether') },
    { name: 'q of 0.07 % (hopperquist)', target: '', path: list('q=hopperquist') },
    { name: 'q of one user (its name)', target: goal, path: (side, turn) => `/v1/users?q=${nameOf(side, turn)}` },
    { name: 'q of nobody (xyzzy)', target: goal, path: list('q=xyzzy') },
    { name: 'profile of 20 %', target: goal, path: list('profile.department=sales') },
    { name: 'profile of 20 %, by name', target: goal, path: list('profile.department=sales&sort=userName') },
    { name: 'profile of seven', target: goal, path: list('profile.department=rare') },
    { name: 'profile of seven, by name', target: goal, path: list('profile.department=rare&sort=userName') },
    { name: 'profile of nobody', target: goal, path: list('profile.department=nowhere') },
    { name: 'by user name', target: goal, path: (side, turn) => `/v1/users/by-user-name/${nameOf(side, turn)}` },
  ];
  const rows = [];
  for (const kind of kinds) {
    const [small, large] = await measure(kind, sides);
    const [least, most] = [quantile(small, 0.5), quantile(large, 0.5)];
    rows.push({
      request: kind.name,
      [`p50 ms, ${few}`]: least.toFixed(2),
      [`p50 ms, ${many}`]: most.toFixed(2),
      [`p99 ms, ${many}`]: quantile(large, 0.99).toFixed(1),
      ratio: (most / least).toFixed(2),
      target: kind.target,
    });
    note(`${kind.name}: ${least.toFixed(2)} ${most.toFixed(2)} ms`);
  }
  printTable(`${times} requests each, one after the other, in turns`, rows);
}

/** In turns, so that what else the machine does falls on both. */
async function measure(kind: Kind, sides: readonly [Side, Side]): Promise<[number[], number[]]> {
  const result: [number[], number[]] = [[], []];
  const open = [await Connection.open(sides[0].server.port), await Connection.open(sides[1].server.port)] as const;
  for (let turn = -20; turn < times; turn++) {
    for (const at of [0, 1] as const) {
      const request = jsonRequest('GET', kind.path(sides[at], turn + 20), undefined, sides[at].token);
      const sentAt = performance.now();
      const { status, body } = await open[at].send(request);
      if (status !== 200) throw new Error(`${kind.name}: ${status} ${body}`);
      if (turn >= 0) result[at].push(performance.now() - sentAt);
    }
  }
  for (const connection of open) connection.close();
  return result;
}

async function compareWithFloor({ server, database, token }: Side): Promise<void> {
  const floor = await startFloor(options, { databaseUrl: database.url, env: { CACHE: 'on' } });
  servers.push(floor);
  const request = jsonRequest('GET', '/v1/users?limit=50', undefined, token);
  await assertSameItems([server, floor], request);
  const measured: { perSecond: number; cpuMicros: number }[][] = [[], []];
  for (let round = -1; round < rounds; round++) {
    for (const [at, { port, pid }] of [server, floor].entries()) {
      if (round === 0) await database.pinBackends(options.loadCpu);
      const before = cpuSeconds(pid);
      const load = await closedLoop(port, { connections: 16, seconds, next: () => request });
      const count = load.latenciesMs.length;
      const cpuMicros = ((cpuSeconds(pid) - before) / count) * 1e6;
      if (round >= 0) measured[at]?.push({ perSecond: count / load.seconds, cpuMicros });
    }
  }
  const [own = [], bare = []] = measured;
  const row = (name: string, of: typeof own, target: string) => ({
    server: name,
    'pages/s': spread(of.map(({ perSecond }) => perSecond)),
    'CPU µs/page': spread(of.map(({ cpuMicros }) => cpuMicros)),
    'Gatehouse / it, pages/s': spread(
      own.map(({ perSecond }, at) => perSecond / (of[at]?.perSecond ?? 0)),
      2,
    ),
    'it / Gatehouse, CPU': (median(of.map((r) => r.cpuMicros)) / median(own.map((r) => r.cpuMicros))).toFixed(2),
    target,
  });
  printTable(`a page of 50 of ${many}, ${rounds} rounds of ${seconds} s`, [
    row('Gatehouse', own, ''),
    row('bare Fastify and pg, same SQL', bare, '≥ 0.8'),
  ]);
}

async function assertSameItems(contenders: readonly Server[], request: string): Promise<void> {
  const pages = await Promise.all(
    contenders.map(async ({ port }) => {
      const connection = await Connection.open(port);
      const { body } = await connection.send(request);
      connection.close();
      return JSON.stringify((JSON.parse(body) as { items: unknown[] }).items);
    }),
  );
  if (new Set(pages).size !== 1) throw new Error(`the servers answer differently:\n${pages.join('\n')}`);
}
