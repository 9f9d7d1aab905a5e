import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { closedLoop, roundRobin } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { startReplica } from './lib/replica.ts';
import { quantile, spread } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ seconds: 4, rounds: 3, connections: 8, slow: 500, users: 50 });
const { seconds, rounds, connections, slow, users } = options.numbers;

type Attack = {
  readonly name: string;
  readonly target: string;
  run(port: number, isOver: () => boolean): Promise<string>;
};

const login = 'POST /v1/auth/login HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n';

async function open(port: number): Promise<Socket | undefined> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
  return socket.destroyed ? undefined : socket;
}

/** Connections that send a byte of a header a second, and come again when they are closed. */
async function slowloris(port: number, isOver: () => boolean): Promise<string> {
  let [opened, answers] = [0, 0];
  const one = async (): Promise<void> => {
    while (!isOver()) {
      const socket = await open(port);
      if (!socket) {
        await sleep(100);
        continue;
      }
      opened++;
      socket.on('data', () => answers++);
      socket.write('GET /health/live HTTP/1.1\r\nHost: bench\r\nX-Slow: ');
      while (!isOver() && !socket.destroyed && socket.writable) {
        socket.write('a');
        await sleep(1_000);
      }
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: slow }, one));
  return `${opened} connections, ${answers} closed with an answer`;
}

/** Sends the same bytes again and again, one after the other on each of four connections. */
const repeat =
  (bytes: Buffer) =>
  async (port: number, isOver: () => boolean): Promise<string> => {
    const statuses = new Map<string, number>();
    const one = async (): Promise<void> => {
      while (!isOver()) {
        const socket = await open(port);
        if (!socket) continue;
        const closed = once(socket, 'close').catch(() => undefined);
        let status = 'cut';
        socket.once('data', (chunk: Buffer) => {
          status = chunk.toString('latin1', 9, 12);
          // what is still unsent is of no use to anybody
          socket.destroy();
        });
        socket.write(bytes);
        await Promise.race([closed, sleep(12_000)]);
        socket.destroy();
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await sleep(20);
      }
    };
    await Promise.all(Array.from({ length: 4 }, one));
    return [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
  };

const post = (body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${login}Content-Length: ${body.length}\r\n\r\n`), body]);
const chunked = (body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`${login}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`),
    body,
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
const tenMegabytes = Buffer.from(JSON.stringify({ userName: 'a'.repeat(10 * 1024 * 1024) }));
const deep = Buffer.from('['.repeat(100_000) + ']'.repeat(100_000));
const headers = Buffer.from(
  `GET /health/live HTTP/1.1\r\nHost: bench\r\n${Array.from({ length: 2_000 }, (_, at) => `X-${at}: b\r\n`).join('')}\r\n`,
);
const attacks: readonly Attack[] = [
  { name: `slowloris, ${slow} connections`, target: '2', run: slowloris },
  { name: '10 MB of JSON', target: '2', run: repeat(post(tenMegabytes)) },
  { name: '10 MB of JSON, chunked', target: '2', run: repeat(chunked(tenMegabytes)) },
  { name: 'JSON 100,000 deep', target: '2', run: repeat(chunked(deep)) },
  { name: 'JSON 16 kB deep', target: '2', run: repeat(post(Buffer.from('['.repeat(16_000)))) },
  { name: '2,000 headers', target: '2', run: repeat(headers) },
];

const database = await createDatabase(options.database);
try {
  const server = await startReplica(options, { databaseUrl: database.url });
  const accounts = (await seedAccounts(server, database, users)).slice(0, users);
  const tokens = await signIn(server.port, accounts);
  const next = roundRobin(tokens.map(({ accessToken }) => meRequest(accessToken)));
  await database.pinBackends(options.loadCpu);
  const measure = async (): Promise<number> =>
    quantile((await closedLoop(server.port, { connections, seconds, next })).latenciesMs, 0.99);
  await measure();
  const rows: Record<string, string>[] = [];
  for (const { name, target, run } of attacks) {
    const [calm, attacked]: [number[], number[]] = [[], []];
    let met = '';
    for (let round = 0; round < rounds; round++) {
      calm.push(await measure());
      let isOver = false;
      const running = run(server.port, () => isOver);
      await sleep(500);
      attacked.push(await measure());
      isOver = true;
      met = await running;
    }
    const ratios = attacked.map((value, at) => value / (calm[at] ?? Number.NaN));
    rows.push({
      attack: name,
      'calm p99, ms': spread(calm, 1),
      'under attack, ms': spread(attacked, 1),
      ratio: spread(ratios, 2),
      target: `≤ ${target}`,
      'what it met in the last round': met,
    });
  }
  printTable('`me` while others misbehave', rows);
  await server.stop();
} finally {
  await database.drop();
}
process.exit(0);
