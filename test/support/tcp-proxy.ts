import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be cut (connections are refused) or stalled (nothing comes through any more). */
export type Proxy = {
  readonly url: string;
  readonly cut: () => Promise<void>;
  readonly stall: () => void;
  readonly mend: () => Promise<void>;
};

/** @param target URL of the server; the proxy's own has the same credentials and path. */
export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isStalled = false;
  const server = createServer((inner) => {
    const outer = connect(Number(port), hostname);
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => isStalled || to.write(bytes));
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
    mend: async () => {
      isStalled = false;
      if (!server.listening) await listen(own);
    },
  };
}
