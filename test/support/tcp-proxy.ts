import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A way to a server that can be cut (connections are refused), stalled (nothing comes through
 * any more) or deafened (what PostgreSQL notifies is lost and all else comes through, as behind
 * a pooler in transaction mode).
 */
export type Proxy = {
  readonly url: string;
  readonly cut: () => Promise<void>;
  readonly stall: () => void;
  readonly deafen: () => void;
  readonly mend: () => Promise<void>;
};

/**
 * @param target URL of the server; the proxy's own has the same credentials and path.
 * @param askedLateMs by how much what the server is asked is late; what it sends by itself is not
 */
export async function startProxy(target: string, { askedLateMs = 0 } = {}): Promise<Proxy> {
  const { hostname, port, protocol } = new URL(target);
  const isPostgres = protocol.startsWith('postgres');
  const sockets = new Set<Socket>();
  let isStalled = false;
  let isDeaf = false;
  const server = createServer({ noDelay: true }, (inner) => {
    const outer = connect({ port: Number(port), host: hostname, noDelay: true });
    const notices = new NoticeFilter();
    for (const [from, to, lateMs] of [
      [inner, outer, askedLateMs],
      [outer, inner, 0],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => {
        const passed = isPostgres && from === outer ? notices.pass(bytes, isDeaf) : bytes;
        if (isStalled) return;
        if (lateMs === 0) to.write(passed);
        else setTimeout(() => to.write(passed), lateMs);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const listen = async (wanted: number): Promise<number> => {
    await once(server.listen(wanted, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  };
  const cut = async (): Promise<void> => {
    const closed = once(server.close(), 'close');
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const own = await listen(0);
  const url = new URL(target);
  url.port = String(own);
  return {
    url: url.href,
    cut,
    stall: () => {
      isStalled = true;
    },
    deafen: () => {
      isDeaf = true;
    },
    mend: async () => {
      isStalled = false;
      isDeaf = false;
      if (!server.listening) await listen(own);
    },
  };
}

const headBytes = 5;
const notification = 'A'.charCodeAt(0);

/**
 * Finds the messages in what a PostgreSQL server sends: a letter, then the
 * length of the rest as 32 bits.
 */
class NoticeFilter {
  #rest = Buffer.alloc(0);

  pass(bytes: Buffer, isDeaf: boolean): Buffer {
    const all = Buffer.concat([this.#rest, bytes]);
    const passed: Buffer[] = [];
    let at = 0;
    while (at + headBytes <= all.length) {
      const end = at + 1 + all.readUInt32BE(at + 1);
      if (end > all.length) break;
      if (!isDeaf || all[at] !== notification) passed.push(all.subarray(at, end));
      at = end;
    }
    this.#rest = all.subarray(at);
    return Buffer.concat(passed);
  }
}
