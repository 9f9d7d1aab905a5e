import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What lies between a verifier and Gatehouse, and how it is interrupted. */
export type FeedWay = {
  readonly url: string;
  /** `refused`: all connections are cut, new ones too. `silent`: they stay, nothing passes. */
  interrupt(how: 'refused' | 'silent'): void;
  /** What was held back comes through now, late. */
  restore(): void;
  /** Later connections go to another port. */
  moveTo(port: number): void;
  close(): void;
};

type Pair = { readonly client: Socket; readonly upstream: Socket };

export async function openFeedWay(target: number): Promise<FeedWay> {
  let current = target;
  let state: 'open' | 'refused' | 'silent' = 'open';
  const pairs = new Set<Pair>();
  /** Those that came in while nothing comes through. */
  const waiting = new Set<Socket>();
  const join = (client: Socket): void => {
    const pair = { client, upstream: connect(current, '127.0.0.1').setNoDelay(true) };
    pairs.add(pair);
    pair.upstream.on('error', () => undefined).on('close', () => client.destroy());
    client.on('close', () => {
      pair.upstream.destroy();
      pairs.delete(pair);
    });
    flow(pair);
  };
  const server = createServer((client) => {
    client.setNoDelay(true).on('error', () => undefined);
    if (state === 'refused') client.destroy();
    else if (state === 'open') join(client);
    else waiting.add(client.on('close', () => waiting.delete(client)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => {
    for (const { client } of pairs) client.destroy();
    for (const client of waiting) client.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    interrupt: (how) => {
      state = how;
      if (how === 'refused') cut();
      for (const { client, upstream } of pairs) {
        client.unpipe(upstream);
        upstream.unpipe(client);
      }
    },
    restore: () => {
      state = 'open';
      for (const pair of pairs) flow(pair);
      for (const client of waiting) join(client);
      waiting.clear();
    },
    moveTo: (port) => {
      current = port;
    },
    close: () => {
      server.close();
      cut();
    },
  };
}

function flow({ client, upstream }: Pair): void {
  client.pipe(upstream).pipe(client);
}
