import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/**
 * Stands between a replica and PostgreSQL and knows which connection listens for
 * changes, by the `application_name` of its first message. `silence` lets nothing more
 * through on it, and does not close it.
 */
export type FaultProxy = {
  readonly url: string;
  /** Whether there was one. */
  readonly silence: () => boolean;
  readonly close: () => void;
};

const listenerName = 'application_name\0gatehouse listener\0';

export async function openFaultProxy(databaseUrl: string): Promise<FaultProxy> {
  const target = new URL(databaseUrl);
  const open = new Set<Socket>();
  let listener: { client: Socket; upstream: Socket } | undefined;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 5432), target.hostname);
    for (const socket of [client.setNoDelay(true), upstream.setNoDelay(true)]) {
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
    }
    client.once('data', (first) => {
      if (first.includes(listenerName)) {
        listener = { client, upstream };
        upstream.on('close', () => {
          if (listener?.upstream === upstream) listener = undefined;
        });
      }
    });
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const proxied = new URL(databaseUrl);
  proxied.hostname = '127.0.0.1';
  proxied.port = String(typeof address === 'object' ? address?.port : '');
  return {
    url: proxied.href,
    silence: () => {
      if (!listener) return false;
      listener.client.unpipe(listener.upstream);
      listener.upstream.unpipe(listener.client);
      listener = undefined;
      return true;
    },
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
