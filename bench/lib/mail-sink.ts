import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** `Message-ID`, recipient, and when the server had it all (`performance.now()`). */
export type Arrived = { readonly messageId: string; readonly to: string; readonly atMs: number };

/** A mail server that takes everything, each mail after `delayMs`, and can be away. */
export class MailSink {
  readonly arrived: Arrived[] = [];
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  readonly port: number;
  readonly #delayMs: number;

  constructor(port: number, delayMs: number) {
    this.port = port;
    this.#delayMs = delayMs;
  }

  async start(): Promise<void> {
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Refuses connections from now on, and cuts those that are open. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.setEncoding('utf8');
    let [pending, to, mail]: [string, string, string | undefined] = ['', '', undefined];
    const say = (line: string): boolean => socket.write(`${line}\r\n`);
    socket.on('data', (chunk: string) => {
      pending += chunk;
      for (;;) {
        if (mail === undefined) {
          const end = pending.indexOf('\r\n');
          if (end < 0) return;
          const line = pending.slice(0, end);
          pending = pending.slice(end + 2);
          if (/^RCPT TO:/i.test(line)) to = /<(.*?)>/.exec(line)?.[1] ?? '';
          if (/^DATA/i.test(line)) mail = '';
          say(answerTo(line));
          if (/^QUIT/i.test(line)) socket.end();
          continue;
        }
        const end = pending.indexOf('\r\n.\r\n');
        if (end < 0) return;
        const messageId = /^Message-ID: (.*)$/im.exec(pending.slice(0, end))?.[1]?.trim() ?? '';
        pending = pending.slice(end + 5);
        mail = undefined;
        void this.#take(messageId, to, say);
      }
    });
    say('220 sink ESMTP');
  }

  async #take(messageId: string, to: string, say: (line: string) => boolean): Promise<void> {
    await sleep(this.#delayMs);
    this.arrived.push({ messageId, to, atMs: performance.now() });
    say('250 2.0.0 taken');
  }
}

function answerTo(line: string): string {
  if (/^EHLO/i.test(line)) return '250 sink';
  if (/^DATA/i.test(line)) return '354 go on';
  if (/^QUIT/i.test(line)) return '221 bye';
  return '250 2.0.0 fine';
}
