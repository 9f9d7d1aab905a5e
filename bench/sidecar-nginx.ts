/**
 * The published configuration of nginx before a small service, with the sidecar: whether each of
 * many requests gets what it should, and what asking costs. See README.md.
 */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Account, seedAccounts, signInAdmin, type Tokens, userPassword } from './lib/accounts.ts';
import { type Answer, Connection } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { Gateway } from './lib/gateway.ts';
import { readOptions } from './lib/options.ts';
import { freePort, type Server, startReplica } from './lib/replica.ts';
import { median, quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

const options = readOptions({ requests: 10_000, dying: 200, lanes: 8, rounds: 5, seconds: 3, within: 1_000 });
const { requests, dying, lanes, rounds, seconds, within } = options.numbers;
const audience = 'https://orders.bench';
const lifetimeSeconds = 30;
/** What a client may say of itself, in the spellings that frameworks take for one another. */
const pretence = 'X-User-Id: boss\r\nX_User_Id: boss\r\nX.User.Id: boss\r\nX-Roles: admin\r\nX-Client-Id: boss\r\n';

/** nginx ends a connection after 1,000 requests. */
class Client {
  readonly #port: number;
  #connection: Connection | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async send(request: string): Promise<Answer> {
    this.#connection ??= await Connection.open(this.#port);
    const answer = await this.#connection.send(request);
    if (/\r\nconnection: close/i.test(answer.head)) this.close();
    return answer;
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

const database = await createDatabase(options.database);
const start = (ttlSeconds: number): Promise<Server> =>
  startReplica(options, { databaseUrl: database.url, env: { ACCESS_TOKEN_TTL_SECONDS: String(ttlSeconds) } });
const ports = {
  guarded: await freePort(),
  plain: await freePort(),
  sidecar: await freePort(),
  orders: await freePort(),
};
const gateway = new Gateway(options.app, ports);

/** The service behind: says what it was told of the caller. */
const orders = createServer((request, response) => {
  const told = Object.fromEntries(Object.entries(request.headers).filter(([name]) => /^x[-_.]/.test(name)));
  const body = JSON.stringify(told);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length) }).end(body);
});
orders.keepAliveTimeout = 75_000;
orders.listen(ports.orders, '127.0.0.1');

const wrong: string[] = [];
const brief = await start(lifetimeSeconds);
let gatehouse: Server | undefined;
try {
  const accounts = await seedAccounts(brief, database, dying + 2);
  const [boss, key] = await registerOrders(brief);
  const [outlived, ...others] = accounts;
  if (!outlived) throw new Error('there are no accounts');
  const expired = await signInFor(brief, outlived);
  const expiresAtMs = performance.now() + (lifetimeSeconds + 6) * 1_000;
  await brief.stop();
  gatehouse = await start(3_600);
  await gateway.startSidecar({ gatehouseUrl: gatehouse.url, audience, key });
  await gateway.startNginx();
  const sessions: Tokens[] = [];
  for (const account of others) sessions.push(await signInFor(gatehouse, account));
  const [living, ...ending] = sessions;
  const [me] = others;
  if (!living || !me) throw new Error('there are no sessions');
  await sleep(Math.max(0, expiresAtMs - performance.now()));
  note('every kind of token is there');

  await judgeAll({ living, expired, ending, me, boss });
  const [guarded, plain] = await compare(living.accessToken);
  const added = median(guarded) - median(plain);
  printTable(`nginx with the sidecar, ${requests} requests`, [
    { measure: 'requests that got what they should not', value: wrong.length, target: 0 },
    { measure: 'p99 without auth_request, ms', value: median(plain).toFixed(2), target: '' },
    { measure: 'p99 with the sidecar, ms', value: median(guarded).toFixed(2), target: '' },
    { measure: 'p99 added, ms', value: added.toFixed(2), target: '≤ 2' },
  ]);
  for (const one of wrong.slice(0, 10)) note(one);
  process.exitCode = wrong.length === 0 && added <= 2 ? 0 : 1;
} finally {
  await gateway.stop();
  orders.close();
  orders.closeAllConnections();
  if (!brief.hasExited()) await brief.stop();
  await gatehouse?.stop();
  await database.drop();
}

type Stage = {
  readonly living: Tokens;
  readonly expired: Tokens;
  readonly ending: readonly Tokens[];
  readonly me: Account;
  readonly boss: string;
};

/** Each kind of request in turn, while sessions end one after the other. */
async function judgeAll({ living, expired, ending, me, boss }: Stage): Promise<void> {
  const endedAtMs = new Map<string, number>();
  const askedAtMs = new Map<string, number>();
  let [sent, isDone] = [0, false];
  const lane = async (at: number): Promise<void> => {
    const connection = new Client(ports.guarded);
    for (let turn = at; sent < requests || !isDone; turn++) {
      sent++;
      const kind = turn % 5;
      if (kind === 0) await expectTold(connection, living.accessToken, me.id);
      if (kind === 1) await expectStatus(connection, undefined, 401);
      if (kind === 2) await expectStatus(connection, expired.accessToken, 401);
      if (kind === 3) await expectStatus(connection, boss, 401);
      if (kind === 4) await expectEnded(connection, ending[turn % ending.length]);
    }
    connection.close();
  };
  const expectEnded = async (connection: Client, tokens: Tokens | undefined): Promise<void> => {
    if (!tokens) return;
    const { sessionId, accessToken } = tokens;
    const endedMs = endedAtMs.get(sessionId);
    const isOver = endedMs !== undefined && performance.now() > endedMs + within;
    const { status } = await connection.send(orderRequest(accessToken));
    const wasAsked = askedAtMs.has(sessionId);
    if (isOver && status !== 401) wrong.push(`ended ${within} ms ago: ${status}`);
    if (!wasAsked && status !== 200) wrong.push(`not ended yet: ${status}`);
  };
  const end = async (): Promise<void> => {
    for (const { sessionId, refreshToken } of ending) {
      askedAtMs.set(sessionId, performance.now());
      const answer = await send(gatehouse, '/v1/auth/logout', { refreshToken });
      if (answer.status !== 204) throw new Error(`log-out: ${answer.status} ${await answer.text()}`);
      endedAtMs.set(sessionId, performance.now());
      await sleep(20);
    }
    await sleep(within * 2);
    isDone = true;
  };
  await Promise.all([end(), ...Array.from({ length: lanes }, (_, at) => lane(at))]);
  note(`${sent} requests, ${ending.length} log-outs meanwhile`);
}

async function expectStatus(connection: Client, token: string | undefined, expected: number): Promise<void> {
  const { status, head } = await connection.send(orderRequest(token));
  if (status !== expected) wrong.push(`${status} in place of ${expected}`);
  if (expected === 401 && !/\r\nwww-authenticate: Bearer/i.test(head)) wrong.push('401 without a challenge');
}

/** The service behind has to hear what the token says, and nothing of the client. */
async function expectTold(connection: Client, token: string, id: string): Promise<void> {
  const { status, body } = await connection.send(orderRequest(token));
  const told = status === 200 ? (JSON.parse(body) as Record<string, string>) : {};
  const { 'x-user-id': userId, 'x-roles': roles, 'x-client-id': client, ...others } = told;
  const isRight = userId === id && roles === 'user' && client === 'gatehouse' && Object.keys(others).length === 0;
  if (!isRight) wrong.push(`${status}: the service was told ${body.slice(0, 200)}`);
}

function orderRequest(token: string | undefined): string {
  const credentials = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
  return `GET /orders HTTP/1.1\r\nHost: orders\r\n${pretence}${credentials}\r\n`;
}

/** @returns p99 of each round in ms, with the sidecar and without */
async function compare(token: string): Promise<readonly [number[], number[]]> {
  const [guarded, plain]: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    for (const [port, results] of [[ports.guarded, guarded] as const, [ports.plain, plain] as const]) {
      const p99 = quantile(await latencies(port, token), 0.99);
      // the first round warms both
      if (round > 0) results.push(p99);
    }
  }
  return [guarded, plain];
}

/** Of 500 requests a second, so that a queue is not what is measured. */
async function latencies(port: number, token: string): Promise<number[]> {
  const [taken, untilMs]: [number[], number] = [[], performance.now() + seconds * 1_000];
  const lane = async (): Promise<void> => {
    const connection = new Client(port);
    while (performance.now() < untilMs) {
      const sentMs = performance.now();
      const { status } = await connection.send(orderRequest(token));
      taken.push(performance.now() - sentMs);
      if (status !== 200) throw new Error(`a good token got ${status}`);
      await sleep(lanes * 2);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return taken;
}

/** @returns a token of the administrator for Gatehouse itself, and the key of the service */
async function registerOrders(server: Server): Promise<readonly [boss: string, key: string]> {
  const { accessToken } = await signInAdmin(server);
  const body = { name: 'orders', scopes: ['revocations:read', 'tokens:introspect'], audience };
  const answer = await send(server, '/v1/services', body, { authorization: `Bearer ${accessToken}` });
  if (answer.status !== 201) throw new Error(`service: ${answer.status} ${await answer.text()}`);
  const { secret } = (await answer.json()) as { secret: string };
  return [accessToken, `orders.${secret}`];
}

async function signInFor(server: Server, { userName }: Account): Promise<Tokens> {
  const answer = await send(server, '/v1/auth/login', { userName, password: userPassword, audience });
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Tokens;
}

async function send(
  server: Server | undefined,
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const all = { 'content-type': 'application/json', ...headers };
  return fetch(`${server?.url}${path}`, { method: 'POST', headers: all, body: JSON.stringify(body) });
}
