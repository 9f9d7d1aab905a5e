/** Messages written and read on one core against the floor. See README.md. */
import { seedAccounts, signIn } from './lib/accounts.ts';
import { Connection, jsonRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { closedLoop, roundRobin } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { cpuSeconds, pin } from './lib/process-usage.ts';
import { startFloor, startReplica, type Server } from './lib/replica.ts';
import { median, spread } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

type Round = { readonly perSecond: number; readonly cpuMicros: number; readonly busy: number };
type Contender = { readonly name: string; readonly server: Server; readonly reads: readonly string[] };

const options = readOptions({ users: 200, connections: 64, seconds: 2, rounds: 9, bytes: 500 });
const { users, connections, seconds, rounds, bytes } = options.numbers;
const body = 'x'.repeat(bytes);
const limits = { MESSAGE_LIMIT_USER_COUNT: '1000000', MESSAGE_LIMIT_USER_BYTES: '1000000000000' };
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
  const databaseUrl = database.url;
  const gatehouse = await started(startReplica(options, { databaseUrl, env: limits }));
  note(`signing in ${users} users`);
  const tokens = await signIn(gatehouse.port, await seedAccounts(gatehouse, database, users));
  const writes = tokens.map(({ accessToken }) => jsonRequest('POST', '/v1/messages', { body }, accessToken));
  const floor = (env: Record<string, string>) =>
    started(startFloor(options, { databaseUrl, env, script: 'floor/messages-server.ts' }));
  const contenders = [
    await withReads('Gatehouse', gatehouse, writes),
    await withReads('bare Fastify, the same statement', await floor({ WHOLE: 'on' }), writes),
    await withReads('bare Fastify, the INSERT alone', await floor({}), writes),
  ];
  await database.pinBackends(options.loadCpu);
  const written = await measure(contenders, () => roundRobin(writes));
  const read = await measure(contenders, ({ reads }) => roundRobin(reads));
  report(`POST /v1/messages, ${bytes} bytes`, contenders, written);
  report(`GET /v1/messages/{token}, ${bytes} bytes`, contenders, read);
}

async function started(starting: Promise<Server>): Promise<Server> {
  const server = await starting;
  servers.push(server);
  return server;
}

/** A message of each user, to be read from this server. */
async function withReads(name: string, server: Server, writes: readonly string[]): Promise<Contender> {
  const connection = await Connection.open(server.port);
  const reads: string[] = [];
  for (const write of writes) {
    const answer = await connection.send(write);
    if (answer.status !== 201) throw new Error(`${name}: ${answer.status} ${answer.body}`);
    const path = `/v1/messages/${JSON.parse(answer.body).url.split('#')[1]}`;
    reads.push(jsonRequest('GET', path));
    const back = JSON.parse((await connection.send(jsonRequest('GET', path))).body);
    if (back.body !== body) throw new Error(`${name} does not give back what it got`);
  }
  connection.close();
  return { name, server, reads };
}

/** Interleaved: every round has each server once, each time in another order. */
async function measure(
  contenders: readonly Contender[],
  requestsOf: (contender: Contender) => () => string,
): Promise<readonly Round[][]> {
  const results = contenders.map((): Round[] => []);
  const sources = contenders.map(requestsOf);
  const once = async (at: number, forSeconds: number): Promise<Round> => {
    const [contender, next] = [contenders[at], sources[at]];
    if (!contender || !next) throw new Error('no such server');
    const before = cpuSeconds(contender.server.pid);
    const load = await closedLoop(contender.server.port, { connections, seconds: forSeconds, next });
    const cpu = cpuSeconds(contender.server.pid) - before;
    const count = load.latenciesMs.length;
    return { perSecond: count / load.seconds, cpuMicros: (cpu / count) * 1e6, busy: (cpu / load.seconds) * 100 };
  };
  for (const at of contenders.keys()) await once(at, 1.5);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const at = (round + turn) % contenders.length;
      results[at]?.push(await once(at, seconds));
    }
    note(`round ${round + 1}: ${results.map((of) => of.at(-1)?.perSecond.toFixed(0)).join(' ')} requests/s`);
  }
  return results;
}

function report(title: string, contenders: readonly Contender[], results: readonly Round[][]): void {
  const ours = results[0] ?? [];
  const ratio = (left: readonly Round[], right: readonly Round[], of: (round: Round) => number): string =>
    spread(
      left.flatMap((round, at) => {
        const other = right[at];
        return other ? [of(round) / of(other)] : [];
      }),
      2,
    );
  printTable(
    `${title}, ${rounds} rounds of ${seconds} s, ${connections} connections, ${users} users`,
    contenders.map(({ name }, at) => {
      const own = results[at] ?? [];
      return {
        server: name,
        'requests/s': spread(own.map(({ perSecond }) => perSecond)),
        'CPU µs/request': spread(own.map(({ cpuMicros }) => cpuMicros)),
        'core busy %': median(own.map(({ busy }) => busy)).toFixed(0),
        'Gatehouse / it, requests/s': ratio(ours, own, ({ perSecond }) => perSecond),
        'it / Gatehouse, CPU': ratio(own, ours, ({ cpuMicros }) => cpuMicros),
        target: at === 1 ? '≥ 0.6' : '',
      };
    }),
  );
}
