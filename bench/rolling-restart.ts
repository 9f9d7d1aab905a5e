import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { type Backend, drive, failedOf, newTraffic, openBalancer, whichOf } from './lib/balancer.ts';
import { jsonRequest, meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { type Server, startReplica } from './lib/replica.ts';
import { quantile } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ connections: 32, restarts: 4, drain: 2, calm: 2 });
const { connections, restarts, drain, calm } = options.numbers;
const all = '0-1';
const traffic = newTraffic();

const database = await createDatabase(options.database);
try {
  const start = (): Promise<Server> =>
    startReplica(options, { databaseUrl: database.url, cpu: all, env: { DRAIN_DELAY_SECONDS: String(drain) } });
  const backends: Backend[] = [];
  for (let at = 0; at < 2; at++) backends.push({ server: await start(), isReady: true });
  const [first] = backends;
  if (!first) throw new Error('no replica');
  const accounts = (await seedAccounts(first.server, database, connections)).slice(0, connections);
  const tokens = await signIn(first.server.port, accounts);
  const balancer = await openBalancer(backends);
  const running = tokens.map(({ accessToken }, at) => {
    const write = jsonRequest('PATCH', '/v1/users/me', { firstName: `r${at}` }, accessToken);
    let count = at;
    return drive(balancer.port, traffic, () => (count++ % 5 === 0 ? write : meRequest(accessToken)));
  });
  for (let at = 0; at < restarts; at++) {
    await sleep(calm * 1_000);
    const backend = backends[at % backends.length];
    if (!backend) throw new Error('no replica');
    // as an orchestrator: the new one is ready before the old one is told to go
    const next = await start();
    const old = backend.server;
    backends.push({ server: next, isReady: true });
    await old.stop();
    backends.splice(backends.indexOf(backend), 1);
  }
  await sleep(calm * 1_000);
  traffic.isOver = true;
  await Promise.all(running);
  balancer.close();
  const { latenciesMs } = traffic;
  printTable('Rolling restart under load: target 0 failed requests', [
    {
      restarts,
      requests: latenciesMs.length,
      failed: failedOf(traffic),
      which: whichOf(traffic),
      'p50, ms': quantile(latenciesMs, 0.5).toFixed(1),
      'p99, ms': quantile(latenciesMs, 0.99).toFixed(1),
      'slowest, ms': Math.max(...latenciesMs).toFixed(0),
      connections: traffic.opened,
      'told to close': traffic.toldToClose,
    },
  ]);
  for (const { server } of backends) await server.stop();
} finally {
  await database.drop();
}
process.exit(0);
