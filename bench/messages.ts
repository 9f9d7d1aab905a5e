/** Messages written and read on one core against the floor. See README.md. */
import { seedAccounts, signIn } from './lib/accounts.ts';
import { Connection, jsonRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { measureInTurns, type Round, noteRound } from './lib/interleaved.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { startFloor, startReplica, type Server } from './lib/replica.ts';
import { median, spread } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

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
  const written = await measure(contenders, () => writes);
  const read = await measure(contenders, ({ reads }) => reads);
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

/** @param requestsOf what a contender is asked */
function measure(
  contenders: readonly Contender[],
  requestsOf: (contender: Contender) => readonly string[],
): Promise<readonly Round[][]> {
  const asked = contenders.map((contender) => ({ server: contender.server, requests: requestsOf(contender) }));
  return measureInTurns(asked, {
    connections,
    seconds,
    rounds,
    onWarm: () => database.pinBackends(options.loadCpu),
    onRound: noteRound,
  });
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
