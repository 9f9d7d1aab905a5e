import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** One address in front of replicas, as a balancer of connections gives it. */
export type Balancer = {
  readonly url: string;
  /** Ports that new connections go to, in turns; those that are open stay where they are. */
  readonly sendTo: (...ports: readonly number[]) => void;
  readonly stop: () => void;
};

export async function startBalancer(): Promise<Balancer> {
  let ports: readonly number[] = [];
  let turn = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const replica = connect(ports[turn++ % ports.length] ?? 0, '127.0.0.1');
    for (const [one, other] of [
      [client, replica],
      [replica, client],
    ] as const) {
      open.add(one);
      one
        .on('error', () => other.destroy())
        .on('close', () => {
          open.delete(one);
          other.destroy();
        });
    }
    client.pipe(replica).pipe(client);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sendTo: (...given) => {
      ports = given;
    },
    stop: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
