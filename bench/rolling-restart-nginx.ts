/**
 * Two replicas behind nginx, which asks for no health, restarted one after the
 * other under load. See README.md.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { Connection, jsonRequest, meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { loadNow } from './lib/process-usage.ts';
import { freePort, type Server, startReplica } from './lib/replica.ts';
import { quantile } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

/**
 * `idle`: seconds that nginx keeps a connection to a replica without a request; `again`: it
 * asks the other for writes too.
 */
const options = readOptions({ connections: 32, restarts: 4, drain: 3, calm: 2, idle: 60, writes: 2 }, ['again']);
const { connections, restarts, drain, calm, idle, writes } = options.numbers;
const all = '0-1';

const configOf = (port: number, replicas: readonly Server[]): string => `
worker_processes 1;
pid nginx.pid;
error_log error.log info;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000;
  upstream gatehouse {
    ${replicas.map((replica) => `server 127.0.0.1:${replica.port}${options.flags.has('again') ? ' max_fails=0' : ''};`).join('\n    ')}
    keepalive 32;
    keepalive_timeout ${idle}s;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://gatehouse;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      ${options.flags.has('again') ? 'proxy_next_upstream error timeout non_idempotent;' : ''}
    }
  }
}
`;

async function startNginx(replicas: readonly Server[]) {
  const [folder, port] = [mkdtempSync(join(tmpdir(), 'gatehouse-nginx-')), await freePort()];
  writeFileSync(join(folder, 'nginx.conf'), configOf(port, replicas));
  const child = spawn('nginx', ['-p', folder, '-c', 'nginx.conf', '-g', 'daemon off;'], { stdio: 'inherit' });
  const log = join(folder, 'error.log');
  await sleep(500);
  const stop = async (): Promise<void> => {
    child.kill('SIGQUIT');
    await once(child, 'exit');
    rmSync(folder, { recursive: true });
  };
  return { port, errors: () => readFileSync(log, 'utf8').split('\n'), stop };
}

const latenciesMs: number[] = [];
const failures = new Map<string, number>();
let isOver = false;
const note = (what: string): void => void failures.set(what, (failures.get(what) ?? 0) + 1);

async function drive(port: number, next: () => string): Promise<void> {
  let connection: Connection | undefined;
  while (!isOver) {
    const sentAt = performance.now();
    const request = next();
    try {
      if (!connection || connection.isClosed) connection = await Connection.open(port);
      const { status } = await connection.send(request);
      if (status !== 200) note(`${request.slice(0, request.indexOf(' '))} ${status}`);
    } catch {
      note('cut');
      connection = undefined;
    }
    latenciesMs.push(performance.now() - sentAt);
    await sleep(2);
  }
  connection?.close();
}

const database = await createDatabase(options.database);
const start = (port: number): Promise<Server> =>
  startReplica(options, { databaseUrl: database.url, cpu: all, env: { DRAIN_DELAY_SECONDS: String(drain) }, port });
const replicas: Server[] = [];
try {
  for (let at = 0; at < 2; at++) replicas.push(await start(await freePort()));
  const [first] = replicas;
  if (!first) throw new Error('no replica');
  const accounts = (await seedAccounts(first, database, connections)).slice(0, connections);
  const tokens = await signIn(first.port, accounts);
  const nginx = await startNginx(replicas);
  const running = tokens.map(({ accessToken }, at) => {
    const write = jsonRequest('PATCH', '/v1/users/me', { firstName: `r${at}` }, accessToken);
    let count = at;
    return drive(nginx.port, () => (count++ % writes === 0 ? write : meRequest(accessToken)));
  });
  for (let at = 0; at < restarts; at++) {
    await sleep(calm * 1_000);
    const which = at % replicas.length;
    const old = replicas[which];
    if (!old) throw new Error('no replica');
    await old.stop();
    replicas[which] = await start(old.port);
  }
  await sleep(calm * 1_000);
  isOver = true;
  await Promise.all(running);
  const reasons = new Map<string, number>();
  for (const line of nginx.errors()) {
    const [, reason] = /\[error\] \S+ \S+ (.*?), client/.exec(line) ?? [];
    const method = /request: "(\w+)/.exec(line)?.[1];
    if (reason) reasons.set(`${method}: ${reason}`, (reasons.get(`${method}: ${reason}`) ?? 0) + 1);
  }
  await nginx.stop();
  printTable(`Rolling restart behind nginx without health checks: target 0 failed; load ${loadNow()}`, [
    {
      restarts,
      requests: latenciesMs.length,
      failed: [...failures.values()].reduce((sum, count) => sum + count, 0),
      which: [...failures].map(([what, count]) => `${what}: ${count}`).join(', ') || 'none',
      'p50, ms': quantile(latenciesMs, 0.5).toFixed(1),
      'p99, ms': quantile(latenciesMs, 0.99).toFixed(1),
      'slowest, ms': Math.max(...latenciesMs).toFixed(0),
    },
  ]);
  const rows = [...reasons].map(([reason, count]) => ({ 'what nginx met': reason, count }));
  if (rows.length > 0) printTable('nginx, including what it asked the other replica for', rows);
  for (const server of replicas) await server.stop();
} finally {
  await database.drop();
}
process.exit(0);
