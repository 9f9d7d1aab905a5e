/** Fifty refreshes at once with one token; then its reuse when the grace is over. See README.md. */
import { setTimeout as sleep } from 'node:timers/promises';

import { loginRequest, post, seedAccounts, type Tokens, userPassword } from './lib/accounts.ts';
import { type Answer, Connection, jsonRequest, meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { startReplica } from './lib/replica.ts';
import { printTable } from './lib/table.ts';

const graceSeconds = 2;

const options = readOptions({ parallel: 50, times: 5 });
const { parallel, times } = options.numbers;
const database = await createDatabase(options.database);
// two replicas, since parallel requests of one client may come to different ones
const replicas = [await started(), await started()] as const;
try {
  const [account] = await seedAccounts(replicas[0], database, 1);
  const rows = [];
  for (let time = 1; time <= times; time++) rows.push({ time, ...(await race(account?.userName ?? '')) });
  rows.push({
    time: 'target',
    'answers 200': parallel,
    'distinct refresh tokens': 1,
    'session rows': 1,
    'reuse answers': 401,
    'session dead': 'yes on both replicas',
    'audit rows': 1,
    'new tokens refused too': 'yes',
  });
  printTable(
    `${parallel} parallel refreshes with one token over two replicas; reuse after ${graceSeconds} s of grace`,
    rows,
  );
} finally {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await database.drop();
}

function started() {
  return startReplica(options, { databaseUrl: database.url, env: { REFRESH_GRACE_SECONDS: String(graceSeconds) } });
}

async function race(userName: string) {
  const { refreshToken, sessionId } = await login(userName);
  const request = jsonRequest('POST', '/v1/auth/refresh', { refreshToken });
  const connections = await Promise.all(
    Array.from({ length: parallel }, (_, at) => Connection.open(replicas[at % 2 === 0 ? 0 : 1].port)),
  );
  const answers = await Promise.all(connections.map((connection) => connection.send(request)));
  for (const connection of connections) connection.close();
  const good = answers.filter(({ status }) => status === 200).map(({ body }) => JSON.parse(body) as Tokens);
  const [next] = good;
  const sessions = await database.query('select id from sessions where id = $1', [sessionId]);
  await sleep((graceSeconds + 0.5) * 1_000);
  const reuse = await post(replicas[0], '/v1/auth/refresh', { refreshToken });
  await reuse.body?.cancel();
  // the other replica hears of it within milliseconds
  await sleep(250);
  const me = await Promise.all(replicas.map(({ port }) => sendOnce(port, meRequest(next?.accessToken ?? 'none'))));
  const child = await post(replicas[0], '/v1/auth/refresh', { refreshToken: next?.refreshToken });
  await child.body?.cancel();
  const audit = await database.query(
    `select id from audit_events where event = 'refresh-token-reused' and at > now() - interval '2 seconds'`,
  );
  return {
    'answers 200': good.length,
    'distinct refresh tokens': new Set(good.map((pair) => pair.refreshToken)).size,
    'session rows': sessions.length,
    'reuse answers': reuse.status,
    'session dead': me.every(({ status }) => status === 401) ? 'yes on both replicas' : 'NO',
    'audit rows': audit.length,
    'new tokens refused too': child.status === 401 ? 'yes' : 'NO',
  };
}

async function login(userName: string): Promise<Tokens> {
  const { status, body } = await sendOnce(replicas[0].port, loginRequest(userName, userPassword));
  if (status !== 200) throw new Error(`login: ${status} ${body}`);
  return JSON.parse(body) as Tokens;
}

async function sendOnce(port: number, request: string): Promise<Answer> {
  const connection = await Connection.open(port);
  const answer = await connection.send(request);
  connection.close();
  return answer;
}
