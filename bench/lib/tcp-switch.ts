import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/**
 * The one address by which replicas know their database, as a
 * failover manager or DNS name gives it.
 */
export type TcpSwitch = {
  readonly port: number;
  /** Later connections go to another port; those that are open are cut. */
  moveTo(port: number): void;
  cut(): void;
  close(): void;
};

export async function openSwitch(target: number): Promise<TcpSwitch> {
  let current = target;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(current, '127.0.0.1');
    for (const socket of [client.setNoDelay(true), upstream.setNoDelay(true)]) {
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
    }
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: address.port,
    moveTo: (port) => {
      current = port;
      cut();
    },
    cut,
    close: () => {
      server.close();
      cut();
    },
  };
}
