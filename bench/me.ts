/** `GET /v1/users/me` on one core against the floor. See README.md. */

import { seedAccounts, signIn } from './lib/accounts.ts';
import { Connection, meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { measureInTurns, type Round, noteRound } from './lib/interleaved.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { profileUnderLoad } from './lib/profiled-load.ts';
import { startFloor, startReplica, type Server } from './lib/replica.ts';
import { median, spread } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

const options = readOptions({ users: 500, connections: 64, seconds: 2, rounds: 15 }, ['profile']);
const { users, connections, seconds, rounds } = options.numbers;
const database = await createDatabase(options.database);
const servers: Server[] = [];
try {
  pin(process.pid, options.loadCpu);
  await run();
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  await database.drop();
}

async function run(): Promise<void> {
  const gatehouse = await started(startReplica(options, { databaseUrl: database.url }));
  const accounts = await seedAccounts(gatehouse, database, users);
  note(`signing in ${users} users`);
  const requests = (await signIn(gatehouse.port, accounts)).map(({ accessToken }) => meRequest(accessToken));
  if (options.flags.has('profile')) {
    return profileUnderLoad(options, database, { name: 'me', requests, connections });
  }
  const floor = await started(startFloor(options, { databaseUrl: database.url }));
  const cachedFloor = await started(startFloor(options, { databaseUrl: database.url, env: { CACHE: 'on' } }));
  await assertSameBody([gatehouse, floor, cachedFloor], requests[0] ?? '');
  const contenders = [gatehouse, floor, cachedFloor].map((server) => ({ server, requests }));
  const measured = await measureInTurns(contenders, {
    connections,
    seconds,
    rounds,
    onWarm: () => database.pinBackends(options.loadCpu),
    onRound: noteRound,
  });
  report(measured);
}

async function started(starting: Promise<Server>): Promise<Server> {
  const server = await starting;
  servers.push(server);
  return server;
}

async function assertSameBody(contenders: readonly Server[], request: string): Promise<void> {
  const bodies = await Promise.all(
    contenders.map(async ({ port }) => {
      const connection = await Connection.open(port);
      const { body } = await connection.send(request);
      connection.close();
      return body;
    }),
  );
  if (new Set(bodies).size !== 1) throw new Error(`the servers answer differently:\n${bodies.join('\n')}`);
}

function report([gatehouse = [], floor = [], cachedFloor = []]: readonly Round[][]): void {
  const row = (name: string, own: readonly Round[], target: string) => ({
    server: name,
    'requests/s': spread(own.map(({ perSecond }) => perSecond)),
    'CPU µs/request': spread(own.map(({ cpuMicros }) => cpuMicros)),
    'core busy %': median(own.map(({ busy }) => busy)).toFixed(0),
    'p99 ms': median(own.map(({ p99Ms }) => p99Ms)).toFixed(1),
    'Gatehouse / it, requests/s': ratio(gatehouse, own, ({ perSecond }) => perSecond),
    'it / Gatehouse, CPU': ratio(own, gatehouse, ({ cpuMicros }) => cpuMicros),
    target,
  });
  printTable(`GET /v1/users/me, ${rounds} rounds of ${seconds} s, ${connections} connections, ${users} tokens`, [
    row('Gatehouse', gatehouse, ''),
    row('bare Fastify', floor, '≥ 0.6, goal 0.8'),
    row('bare Fastify, verified tokens kept', cachedFloor, 'none: the harder floor'),
  ]);
}

function ratio(left: readonly Round[], right: readonly Round[], of: (round: Round) => number): string {
  const ratios = left.flatMap((round, at) => {
    const other = right[at];
    return other ? [of(round) / of(other)] : [];
  });
  return spread(ratios, 2);
}
