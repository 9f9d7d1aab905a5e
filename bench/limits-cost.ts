/**
 * What the rate limits cost a request: CPU with them against CPU without, in memory
 * and with Redis. See README.md.
 */
import { seedAccounts, signIn } from './lib/accounts.ts';
import { meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { measureInTurns, type Round } from './lib/interleaved.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { startRedis } from './lib/redis.ts';
import { freePort, type Server, startReplica } from './lib/replica.ts';
import { median, spread } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

const options = readOptions({ users: 500, connections: 64, seconds: 2, rounds: 15 });
const { users, connections, seconds, rounds } = options.numbers;
const database = await createDatabase(options.database);
const redis = await startRedis(options.loadCpu, await freePort());
const servers: Server[] = [];
try {
  pin(process.pid, options.loadCpu);
  const start = async (env: Record<string, string>): Promise<Server> => {
    const server = await startReplica(options, { databaseUrl: database.url, env });
    servers.push(server);
    return server;
  };
  const contenders = [
    await start({ RATE_LIMITS: 'off' }),
    await start({}),
    await start({ REDIS_URL: redis.url }),
  ] as const;
  const accounts = await seedAccounts(contenders[0], database, users);
  note(`signing in ${users} users`);
  const requests = (await signIn(contenders[0].port, accounts)).map(({ accessToken }) => meRequest(accessToken));
  report(
    await measureInTurns(
      contenders.map((server) => ({ server, requests })),
      {
        connections,
        seconds,
        rounds,
        onWarm: () => database.pinBackends(options.loadCpu),
        onRound: (round, latest) =>
          note(`round ${round}: ${latest.map((one) => one?.cpuMicros.toFixed(0)).join(' ')} µs/request`),
      },
    ),
  );
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  await redis.stop();
  await database.drop();
}

function report([without = [], memory = [], shared = []]: readonly Round[][]): void {
  const row = (name: string, own: readonly Round[], target: string) => ({
    limits: name,
    'CPU µs/request': spread(own.map(({ cpuMicros }) => cpuMicros)),
    'it / none, CPU': spread(
      own.map(({ cpuMicros }, at) => cpuMicros / (without[at]?.cpuMicros ?? Number.NaN)),
      2,
    ),
    target,
    'requests/s': spread(own.map(({ perSecond }) => perSecond)),
    'core busy %': median(own.map(({ busy }) => busy)).toFixed(0),
    'p99 ms': median(own.map(({ p99Ms }) => p99Ms)).toFixed(1),
  });
  printTable(`GET /v1/users/me, ${rounds} rounds of ${seconds} s, ${connections} connections, ${users} users`, [
    row('none', without, ''),
    row('in memory', memory, '≤ 1.15'),
    row('Redis', shared, '≤ 1.6'),
  ]);
}
