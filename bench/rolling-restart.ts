import { once } from 'node:events';
import { connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { Connection, jsonRequest, meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { type Server, startReplica } from './lib/replica.ts';
import { quantile } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ connections: 32, restarts: 4, drain: 2, calm: 2 });
const { connections, restarts, drain, calm } = options.numbers;
const all = '0-1';
const checkEveryMs = 250;

type Backend = { server: Server; isReady: boolean };

/**
 * A balancer of connections: a new one goes to the next replica that is ready; those that are
 * open stay where they are, and end when their replica ends them. Like HAProxy's `mode tcp`
 * with `httpchk GET /health/ready`.
 */
async function openBalancer(backends: readonly Backend[]): Promise<{ port: number; close: () => void }> {
  const open = new Set<Socket>();
  let turn = 0;
  const balancer: NetServer = createServer((client) => {
    const ready = backends.filter(({ isReady }) => isReady);
    const chosen = ready[turn++ % ready.length];
    if (!chosen) {
      client.destroy();
      return;
    }
    const upstream = connect(chosen.server.port, '127.0.0.1');
    for (const socket of [client.setNoDelay(true), upstream.setNoDelay(true)]) {
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
    }
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  balancer.listen(0, '127.0.0.1');
  await once(balancer, 'listening');
  const checks = setInterval(() => void Promise.all(backends.map(check)), checkEveryMs);
  const address = balancer.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => {
      clearInterval(checks);
      balancer.close();
      for (const socket of open) socket.destroy();
    },
  };
}

async function check(backend: Backend): Promise<void> {
  const answer = await fetch(`${backend.server.url}/health/ready`, { signal: AbortSignal.timeout(1_000) }).catch(
    () => undefined,
  );
  await answer?.body?.cancel();
  backend.isReady = answer?.status === 200;
}

const latenciesMs: number[] = [];
const failures = new Map<string, number>();
let [isOver, opened, toldToClose] = [false, 0, 0];

/** Keeps its connection until it is told to close it, as RFC 9112 §9.6 asks of clients. */
async function drive(port: number, next: () => string): Promise<void> {
  let connection: Connection | undefined;
  while (!isOver) {
    const sentAt = performance.now();
    try {
      if (!connection || connection.isClosed) {
        connection = await Connection.open(port);
        opened++;
      }
      const { status, head } = await connection.send(next());
      if (status !== 200) failures.set(String(status), (failures.get(String(status)) ?? 0) + 1);
      if (/\r\nconnection: close/i.test(head)) {
        toldToClose++;
        connection.close();
        connection = undefined;
      }
    } catch {
      failures.set('cut', (failures.get('cut') ?? 0) + 1);
      connection = undefined;
    }
    latenciesMs.push(performance.now() - sentAt);
    await sleep(4);
  }
  connection?.close();
}

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
    return drive(balancer.port, () => (count++ % 5 === 0 ? write : meRequest(accessToken)));
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
  isOver = true;
  await Promise.all(running);
  balancer.close();
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
  printTable('Rolling restart under load: target 0 failed requests', [
    {
      restarts,
      requests: latenciesMs.length,
      failed,
      which: [...failures].map(([what, count]) => `${what}: ${count}`).join(', ') || 'none',
      'p50, ms': quantile(latenciesMs, 0.5).toFixed(1),
      'p99, ms': quantile(latenciesMs, 0.99).toFixed(1),
      'slowest, ms': Math.max(...latenciesMs).toFixed(0),
      connections: opened,
      'told to close': toldToClose,
    },
  ]);
  for (const { server } of backends) await server.stop();
} finally {
  await database.drop();
}
process.exit(0);
