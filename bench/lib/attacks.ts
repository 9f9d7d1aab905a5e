/** What misbehaving clients do. Run by attacker.ts, in a process of its own. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

type Attack = {
  readonly name: string;
  /** Until it is over. @returns what it met */
  run(port: number, isOver: () => boolean): Promise<string>;
};

/** Connections of slowloris. */
const slow = 500;
const pieceBytes = 65_536;
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
        await Promise.race([closed, sendInPieces(socket, bytes).then(() => closed), sleep(12_000)]);
        socket.destroy();
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await sleep(20);
      }
    };
    await Promise.all(Array.from({ length: 4 }, one));
    return [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
  };

/**
 * As fast as they are taken. All at once, the copying alone would hold
 * up whoever else is on this core.
 */
async function sendInPieces(socket: Socket, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; at += pieceBytes) {
    if (!socket.write(bytes.subarray(at, at + pieceBytes))) {
      await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
    }
  }
}

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
export const attacks: readonly Attack[] = [
  { name: `slowloris, ${slow} connections`, run: slowloris },
  { name: '10 MB of JSON', run: repeat(post(tenMegabytes)) },
  { name: '10 MB of JSON, chunked', run: repeat(chunked(tenMegabytes)) },
  { name: 'JSON 100,000 deep', run: repeat(chunked(deep)) },
  { name: 'JSON 16 kB deep', run: repeat(post(Buffer.from('['.repeat(16_000)))) },
  { name: '2,000 headers', run: repeat(headers) },
];
