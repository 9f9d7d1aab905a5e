/**
 * Keeps streams of the feed open, in a process of its own: `feed-listeners.ts port count key`.
 * Sends `open` when all have had a heartbeat; to a message with a subject it answers how many have
 * heard of it within 5 s, and when the last one did. To `slow` it opens one more, which reads a
 * byte a second.
 */
import { connect, type Socket } from 'node:net';

export type Heard = { readonly heard: number; readonly lastAt: number; readonly ended: number };

const [port = '', count = '', key = ''] = process.argv.slice(2);
const request = `GET /v1/auth/revocations/stream HTTP/1.1\r\nHost: bench\r\nX-Service-Key: ${key}\r\n\r\n`;
const opensAtOnce = 50;
const patienceMs = 5_000;

let [beating, ended] = [0, 0];
let awaited = { subject: '', heard: 0, lastAt: 0 };

/** Milliseconds of the machine's monotonic clock, which other processes read too. */
const now = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;

function open(onData: (socket: Socket) => void): Socket {
  const socket = connect(Number(port), '127.0.0.1').setNoDelay(true).setEncoding('latin1');
  socket.write(request);
  socket.on('error', () => undefined).on('close', () => ended++);
  onData(socket);
  return socket;
}

function openListener(): Promise<void> {
  return new Promise((resolve) => {
    let [isBeating, heardOf] = [false, ''];
    open((socket) =>
      socket.on('data', (chunk: unknown) => {
        const text = String(chunk);
        if (!isBeating && text.includes('event: heartbeat')) {
          isBeating = true;
          beating++;
          resolve();
        }
        if (awaited.subject === '' || heardOf === awaited.subject || !text.includes(awaited.subject)) return;
        heardOf = awaited.subject;
        awaited.heard++;
        awaited.lastAt = now();
      }),
    );
  });
}

process.on('message', (message: { readonly subject?: string; readonly slow?: true }) => {
  if (message.slow) {
    open((socket) => {
      setInterval(() => socket.read(1), 1_000);
      socket.on('readable', () => undefined);
    });
    return;
  }
  awaited = { subject: message.subject ?? '', heard: 0, lastAt: 0 };
  const until = now() + patienceMs;
  const look = setInterval(() => {
    if (awaited.heard < beating && now() < until) return;
    clearInterval(look);
    process.send?.({ heard: awaited.heard, lastAt: awaited.lastAt, ended } satisfies Heard);
  }, 20);
});

for (let opened = 0; opened < Number(count); opened += opensAtOnce) {
  await Promise.all(Array.from({ length: Math.min(opensAtOnce, Number(count) - opened) }, openListener));
}
process.send?.('open');
