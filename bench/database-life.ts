/**
 * What happens to trust in the life of a database: moved, failed over, read-only,
 * pooled, other clocks. See README.md.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn, signInAdmin } from './lib/accounts.ts';
import { type Cluster, createCluster } from './lib/cluster.ts';
import type { Database } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { hasPgBouncer, startPgBouncer } from './lib/pgbouncer.ts';
import { masterKey, type Server, startReplica } from './lib/replica.ts';
import { kinds } from './lib/revoke.ts';
import { createService } from './lib/services.ts';
import { countRefused, startSteadyLoad } from './lib/steady-load.ts';
import { note, printTable } from './lib/table.ts';
import { openSwitch } from './lib/tcp-switch.ts';
import { shiftedClock } from './lib/verifiers.ts';
import { accepted, authorise, type Case, insist, isReady, prepareCases, untilReady } from './lib/trust.ts';

const options = readOptions({ rate: 100, hurt: 6 }, ['long']);
const { rate, hurt: hurtSeconds } = options.numbers;
const all = `${options.serverCpu},${options.loadCpu}`;
const name = 'gatehouse';
const newMasterKey = randomBytes(32).toString('base64');

type Env = Readonly<Record<string, string>>;
/** What is done to the database or to replica B; `heal` undoes it, if anything must be undone. */
type Event = {
  readonly name: string;
  readonly hurt: () => Promise<void>;
  readonly heal?: () => Promise<void>;
  /** What readiness of B has to say while it lasts; either is right if absent. */
  readonly readyOfB?: boolean;
};

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-life-'));
const urlFile = join(folder, 'database-url');
let cluster = await newCluster();
await cluster.sql(`create database ${name} owner gatehouse`);
const clusters: Cluster[] = [cluster];
const gate = await openSwitch(cluster.port);
let password = 'first';
const urlAt = (port: number): string => `postgres://gatehouse:${password}@127.0.0.1:${port}/${name}`;
writeFileSync(urlFile, urlAt(gate.port));

/** Preparations and looks go to the cluster of the moment, past the gate. */
const database: Database = {
  url: '',
  query: (text, values) => cluster.sql(text, name, values),
  pinBackends: () => Promise.resolve(),
  drop: () => Promise.resolve(),
};

type How = { readonly env?: Env; readonly nodeFlags?: string[]; readonly readyPath?: string };
const logs: string[] = [];
async function start({ env = {}, ...more }: How = {}): Promise<Server> {
  const preset = { DATABASE_URL: '', DATABASE_URL_FILE: urlFile, ACCESS_TOKEN_TTL_SECONDS: '900', LOG_LEVEL: 'warn' };
  const server = await startReplica(options, { databaseUrl: '', cpu: all, env: { ...preset, ...env }, ...more });
  logs.push(server.logFile);
  return server;
}
let a = await start();
let b = await start();
const serviceKey = await createService(a, (await signInAdmin(a)).accessToken, 'drill', {});

async function restartA(how: How): Promise<void> {
  await a.stop();
  a = await start(how);
}
async function restartB(how: How = {}): Promise<void> {
  await b.stop();
  b = await start(how);
}

/** Stops B; its replacement must end at once, with this sentence. */
async function refuseB(how: How, sentence: RegExp): Promise<void> {
  await b.stop();
  const outcome = await start(how).then(
    () => 'it started',
    (error: unknown) => String(error),
  );
  if (!sentence.test(outcome)) throw new Error(`B was to be refused: ${outcome}`);
}

async function newCluster(): Promise<Cluster> {
  const made = await createCluster();
  await made.sql(`create role gatehouse login password 'first'`);
  return made;
}

async function moveTo(next: Cluster): Promise<void> {
  clusters.push(next);
  cluster = next;
  gate.moveTo(next.port);
}

const events: readonly Event[] = [
  {
    name: 'restored into a younger cluster',
    hurt: async () => {
      await cluster.sql(`do $$ begin for n in 1..3000 loop perform pg_current_xact_id(); commit; end loop; end $$`);
      const younger = await newCluster();
      cluster.copyDatabaseTo(younger, name, 'gatehouse');
      await moveTo(younger);
    },
  },
  {
    name: 'failover to a standby that lost its tail',
    hurt: async () => {
      const standby = await cluster.standby();
      await standby.detach();
      // answered, and then lost with the primary
      cases.push(...(await endTrust(a, await prepareCases(a, database))));
      await cluster.kill();
      await standby.promote();
      await moveTo(standby);
    },
  },
  {
    name: 'read-only for a while',
    readyOfB: false,
    hurt: async () => {
      await cluster.sql(`alter database ${name} set default_transaction_read_only = on`);
      gate.cut();
    },
    heal: async () => {
      await cluster.sql(`alter database ${name} reset default_transaction_read_only`);
      gate.cut();
    },
  },
  {
    name: 'connections refused for a second',
    hurt: async () => {
      await cluster.sql('alter role gatehouse connection limit 0');
      gate.cut();
      await sleep(1_000);
      await cluster.sql('alter role gatehouse connection limit -1');
    },
  },
  {
    name: "the role's password changed",
    hurt: async () => {
      await cluster.sql(`alter role gatehouse password 'second'`);
      password = 'second';
      writeFileSync(urlFile, urlAt(gate.port));
      gate.cut();
    },
  },
  {
    name: 'B behind PgBouncer, session mode',
    readyOfB: true,
    hurt: async () => restartB(await pooled('session')),
    heal: () => restartB(),
  },
  {
    name: 'B behind PgBouncer, transaction mode',
    readyOfB: false,
    hurt: async () => refuseB(await pooled('transaction'), /Set DATABASE_LISTEN_URL to a direct connection/),
    heal: async () => {
      b = await start();
    },
  },
  {
    name: 'the same with DATABASE_LISTEN_URL',
    readyOfB: true,
    hurt: async () => restartB(await pooled('transaction', { DATABASE_LISTEN_URL: urlAt(gate.port) })),
    heal: () => restartB(),
  },
  {
    name: 'clock of B 10 s behind',
    readyOfB: true,
    hurt: () => restartB({ nodeFlags: shiftedClock(-10_000) }),
    heal: () => restartB(),
  },
  {
    name: 'clock of B 20 min behind',
    readyOfB: false,
    hurt: () => restartB({ nodeFlags: shiftedClock(-1_200_000), readyPath: '/health/live' }),
    heal: () => restartB(),
  },
  {
    name: 'lifetime of tokens lowered on B',
    readyOfB: true,
    hurt: () => restartB({ env: { ACCESS_TOKEN_TTL_SECONDS: '30' } }),
    // an entry of B's lifetime and tolerance must have gone by before it is looked at again
    heal: () => (options.flags.has('long') ? sleep(100_000) : Promise.resolve()),
  },
  {
    name: 'master key changed on B, then on A',
    readyOfB: true,
    hurt: () => restartB({ env: { MASTER_KEY: newMasterKey, MASTER_KEY_PREVIOUS: masterKey } }),
    heal: () => restartA({ env: { MASTER_KEY: newMasterKey, MASTER_KEY_PREVIOUS: masterKey } }),
  },
];

const pools: { stop(): Promise<void> }[] = [];
async function pooled(mode: 'session' | 'transaction', env: Env = {}): Promise<How> {
  const pool = await startPgBouncer(gate.port, mode, { user: 'gatehouse', password });
  pools.push(pool);
  return { env: { DATABASE_URL: urlAt(pool.port), DATABASE_URL_FILE: '', ...env } };
}

let cases: Case[] = [];

/** Ends trust in every way there is, at one replica. @returns what was answered 2xx */
async function endTrust(server: Server, prepared: readonly Case[]): Promise<Case[]> {
  const by = await authorise(server, serviceKey, hurtSeconds * 1_000);
  if (!by) return [];
  const done = await Promise.all(prepared.map(({ request }) => insist(server.port, request(by), hurtSeconds * 1_000)));
  return prepared.filter((_, at) => done[at]);
}

async function suffer({ name: event, hurt, heal, readyOfB }: Event, good: readonly string[]) {
  cases = [];
  const load = startSteadyLoad([() => a.port, () => b.port], { perSecond: rate, tokens: good });
  const during = [await prepareCases(a, database), await prepareCases(b, database)];
  await hurt();
  // at the replica that is not hurt, and at the one that is
  const answered = await Promise.all([endTrust(a, during[0] ?? []), endTrust(b, during[1] ?? [])]);
  cases.push(...answered.flat());
  await sleep(3_000);
  const seenReady = await isReady(b);
  await heal?.();
  const readyMs = await untilReady([a, b]);
  const prepared = await prepareCases(a, database);
  cases.push(...(await endTrust(a, prepared)));
  const lives = await accepted([a, b], cases, 1_500);
  const lost = await countRefused([a, b], good);
  const statuses = await load.stop();
  return {
    event,
    'trust ended': cases.length,
    'accepted after that': lives.length === 0 ? 0 : lives.join(', '),
    'good tokens refused': lost,
    'answers 500': statuses.get(500) ?? 0,
    'answers 503': statuses.get(503) ?? 0,
    cut: statuses.get(0) ?? 0,
    'answers 200': statuses.get(200) ?? 0,
    'ready of B': `${seenReady ? 'green' : 'red'}${readyOfB === undefined || readyOfB === seenReady ? '' : ', WRONG'}`,
    'both ready after, s': (readyMs / 1_000).toFixed(1),
  };
}

try {
  const rows = [];
  for (const event of events) {
    if (event.name.includes('PgBouncer') && !hasPgBouncer()) {
      note(`NOT TRIED, there is no PgBouncer: ${event.name}`);
      continue;
    }
    const accounts = (await seedAccounts(a, database, 8)).slice(0, 8);
    const good = (await signIn(a.port, accounts)).map(({ accessToken }) => accessToken);
    rows.push(await suffer(event, good));
    note(JSON.stringify(rows.at(-1)));
  }
  printTable(`Two replicas, ${2 * rate} requests a second; ${kinds.length} ways to end trust, three times each`, rows);
  for (const file of logs) {
    const errors = existsSync(file) ? readFileSync(file, 'utf8').match(/"level":"error".*/g) : null;
    if (errors) note(`${file}: ${errors.length} lines of level error, the first: ${errors[0]?.slice(0, 300)}`);
  }
} finally {
  await Promise.allSettled([a.stop(), b.stop(), ...pools.map((pool) => pool.stop())]);
  gate.close();
  for (const one of clusters) await one.remove();
  rmSync(folder, { recursive: true, force: true });
}
