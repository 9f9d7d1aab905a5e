/** `POST /v1/auth/token` on one core against the floor. See README.md. */
import { signInAdmin } from './lib/accounts.ts';
import { Connection } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { measureInTurns, type Round, noteRound } from './lib/interleaved.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { profileUnderLoad } from './lib/profiled-load.ts';
import { startFloor, startReplica, type Server } from './lib/replica.ts';
import { createService } from './lib/services.ts';
import { median, spread } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ connections: 32, seconds: 2, rounds: 15 }, ['profile']);
const { connections, seconds, rounds } = options.numbers;
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
  const { accessToken } = await signInAdmin(gatehouse);
  const key = await createService(gatehouse, accessToken, 'shop', {
    login: { limit: 1_000_000_000, windowSeconds: 60 },
  });
  const requests = [tokenRequest(key)];
  if (options.flags.has('profile')) {
    return profileUnderLoad(options, database, { name: 'client-credentials', requests, connections });
  }
  const script = 'floor/service-token-server.ts';
  const floor = await started(startFloor(options, { databaseUrl: database.url, script, env: { SERVICE_KEY: key } }));
  await assertSameAnswer([gatehouse, floor], tokenRequest(key));
  const measured = await measureInTurns(
    [gatehouse, floor].map((server) => ({ server, requests })),
    { connections, seconds, rounds, onWarm: () => database.pinBackends(options.loadCpu), onRound: noteRound },
  );
  report(measured);
}

async function started(starting: Promise<Server>): Promise<Server> {
  const server = await starting;
  servers.push(server);
  return server;
}

function tokenRequest(key: string): string {
  const [name, secret] = key.split('.');
  const basic = Buffer.from(`${name}:${secret}`).toString('base64');
  const form = new URLSearchParams({ grant_type: 'client_credentials', scope: 'users:read' }).toString();
  const head = ['POST /v1/auth/token HTTP/1.1', 'Host: bench', `Authorization: Basic ${basic}`];
  const type = 'Content-Type: application/x-www-form-urlencoded';
  return `${[...head, type, `Content-Length: ${form.length}`].join('\r\n')}\r\n\r\n${form}`;
}

/** The same members, and the same claims but for what no two tokens share. */
async function assertSameAnswer(contenders: readonly Server[], request: string): Promise<void> {
  const answers = await Promise.all(
    contenders.map(async ({ port }) => {
      const connection = await Connection.open(port);
      const { body } = await connection.send(request);
      connection.close();
      const { access_token: token, ...members } = JSON.parse(body) as { access_token: string };
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      return JSON.stringify([members, { ...claims, jti: '', iat: 0, exp: claims.exp - claims.iat }], undefined, 1);
    }),
  );
  if (new Set(answers).size !== 1) throw new Error(`the servers answer differently:\n${answers.join('\n')}`);
}

function report([gatehouse = [], floor = []]: readonly Round[][]): void {
  const row = (name: string, own: readonly Round[], target: string) => ({
    server: name,
    'tokens/s': spread(own.map(({ perSecond }) => perSecond)),
    'CPU µs/token': spread(own.map(({ cpuMicros }) => cpuMicros)),
    'core busy %': median(own.map(({ busy }) => busy)).toFixed(0),
    'p99 ms': median(own.map(({ p99Ms }) => p99Ms)).toFixed(1),
    'Gatehouse / it, tokens/s': ratio(gatehouse, own, ({ perSecond }) => perSecond),
    'it / Gatehouse, CPU': ratio(own, gatehouse, ({ cpuMicros }) => cpuMicros),
    target,
  });
  printTable(`POST /v1/auth/token, ${rounds} rounds of ${seconds} s, ${connections} connections`, [
    row('Gatehouse', gatehouse, ''),
    row('bare Fastify', floor, '≥ 0.7'),
  ]);
}

function ratio(left: readonly Round[], right: readonly Round[], of: (round: Round) => number): string {
  const ratios = left.flatMap((round, at) => {
    const other = right[at];
    return other ? [of(round) / of(other)] : [];
  });
  return spread(ratios, 2);
}
