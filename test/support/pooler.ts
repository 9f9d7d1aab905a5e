import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What PgBouncer takes in a startup packet with its stock settings. */
const known = new Set(['user', 'database', 'application_name', 'client_encoding', 'datestyle', 'timezone']);
const sslRequest = 80_877_103;
const startupVersion = 196_608;
const serverCount = 2;

export type Pooler = { readonly url: string; readonly stop: () => Promise<void> };

/**
 * As much of PgBouncer as tells whether the service can live with it: in session mode a client
 * keeps its server, in transaction mode each transaction has the next one.
 */
export async function startPooler(target: string, mode: 'session' | 'transaction'): Promise<Pooler> {
  const { hostname, port } = new URL(target);
  const open = (): Socket => connect(Number(port), hostname);
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  const greet = async (client: Socket): Promise<void> => {
    const startup = await readStartup(client);
    const unknown = parametersOf(startup).find((name) => !known.has(name));
    if (unknown) return void client.end(failure(`unsupported startup parameter: ${unknown}`));
    if (mode === 'session') return pipe(client, open(), startup);
    while (servers.length < serverCount) servers.push(await logIn(open(), startup));
    serve(client, servers);
  };
  const listener = createServer((client) => {
    sockets.add(client);
    client.on('error', () => undefined);
    greet(client).catch(() => client.destroy());
  });
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const url = new URL(target);
  url.port = String((listener.address() as AddressInfo).port);
  const stop = async (): Promise<void> => {
    for (const socket of [...sockets, ...servers.map(({ socket: server }) => server)]) socket.destroy();
    listener.close();
  };
  return { url: url.href, stop };
}

type Server = { readonly socket: Socket; readonly greeting: Buffer; client: Socket | undefined };
type Message = { readonly type: string; readonly bytes: Buffer };

async function readStartup(client: Socket): Promise<Buffer> {
  for (;;) {
    const [packet] = (await once(client, 'data')) as [Buffer];
    const code = packet.readInt32BE(4);
    if (code === startupVersion) return packet;
    if (code !== sslRequest) throw new Error('This pooler cancels nothing');
    client.write('N');
  }
}

const parametersOf = (startup: Buffer): readonly string[] =>
  startup
    .subarray(8)
    .toString()
    .split('\0')
    .filter((word, at) => at % 2 === 0 && word !== '')
    .map((name) => name.toLowerCase());

function failure(text: string): Buffer {
  const body = Buffer.from(`SFATAL\0C08P01\0M${text}\0\0`);
  const head = Buffer.from('E\0\0\0\0');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function pipe(client: Socket, server: Socket, startup: Buffer): void {
  server.on('error', () => undefined);
  server.write(startup);
  client.pipe(server).pipe(client);
  client.on('close', () => server.destroy());
  server.on('close', () => client.destroy());
}

/** Without a password; the server's first words are for its clients later. */
function logIn(socket: Socket, startup: Buffer): Promise<Server> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.write(startup);
    const greeting: Buffer[] = [];
    const onData = messages(({ type, bytes }) => {
      greeting.push(bytes);
      if (type !== 'Z') return;
      socket.off('data', onData);
      resolve({ socket, greeting: Buffer.concat(greeting), client: undefined });
    });
    socket.on('data', onData);
  });
}

/** Splits a stream into the messages of the protocol. */
function messages(take: (message: Message) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const length = rest.readInt32BE(1) + 1;
      take({ type: String.fromCharCode(rest.readUInt8(0)), bytes: rest.subarray(0, length) });
      rest = rest.subarray(length);
    }
  };
}

/** Each transaction of the client goes to the server after the last one's. */
function serve(client: Socket, servers: Server[]): void {
  const waiting: Message[] = [];
  let server: Server | undefined;
  let unanswered = 0;
  const onAnswer = messages(({ type, bytes }) => {
    client.write(bytes);
    if (type !== 'Z') return;
    unanswered--;
    if (unanswered === 0 && String.fromCharCode(bytes.readUInt8(5)) === 'I') release();
  });
  const release = (): void => {
    server?.socket.off('data', onAnswer);
    if (server) server.client = undefined;
    server = undefined;
  };
  const flush = (): void => {
    if (waiting.length === 0 || client.destroyed) return;
    if (!server) {
      server = servers.find((free) => !free.client);
      if (!server) return void setTimeout(flush, 1);
      servers.push(...servers.splice(servers.indexOf(server), 1));
      server.client = client;
      server.socket.on('data', onAnswer);
    }
    for (const { type, bytes } of waiting.splice(0)) {
      if (type === 'Q' || type === 'S') unanswered++;
      server.socket.write(bytes);
    }
  };
  client.on(
    'data',
    messages((message) => {
      if (message.type === 'X') return void client.destroy();
      waiting.push(message);
      flush();
    }),
  );
  client.on('close', release);
  client.write(servers[0]?.greeting ?? Buffer.alloc(0));
}
