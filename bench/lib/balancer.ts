import { once } from 'node:events';
import { connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { Connection } from './connection.ts';
import type { Server } from './replica.ts';

const checkEveryMs = 250;

export type Backend = { readonly server: Server; isReady: boolean };

/**
 * A balancer of connections: a new one goes to the next replica that is ready; those that are
 * open stay where they are, and end when their replica ends them. Like HAProxy's `mode tcp`
 * with `httpchk GET /health/ready`.
 */
export async function openBalancer(backends: readonly Backend[]): Promise<{ port: number; close: () => void }> {
  const open = new Set<Socket>();
  let turn = 0;
  const balancer: NetServer = createServer((client) => {
    const ready = backends.filter(({ isReady }) => isReady);
    const chosen = ready[turn++ % ready.length];
    if (!chosen) {
      client.destroy();
      return;
    }
    const upstream = connect(chosen.server.port, '127.0.0.1');
    for (const socket of [client.setNoDelay(true), upstream.setNoDelay(true)]) {
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
    }
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  balancer.listen(0, '127.0.0.1');
  await once(balancer, 'listening');
  const checks = setInterval(() => void Promise.all(backends.map(check)), checkEveryMs);
  const address = balancer.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => {
      clearInterval(checks);
      balancer.close();
      for (const socket of open) socket.destroy();
    },
  };
}

async function check(backend: Backend): Promise<void> {
  const answer = await fetch(`${backend.server.url}/health/ready`, { signal: AbortSignal.timeout(1_000) }).catch(
    () => undefined,
  );
  await answer?.body?.cancel();
  backend.isReady = answer?.status === 200;
}

/** What kept connections met; `isOver` ends them. */
export type Traffic = {
  /** Between an answer and the next request of a connection. */
  readonly pauseMs: number;
  readonly latenciesMs: number[];
  /** By status, or `cut` where the connection ended without an answer. */
  readonly failures: Map<string, number>;
  opened: number;
  toldToClose: number;
  isOver: boolean;
};

export const newTraffic = (pauseMs = 4): Traffic => ({
  pauseMs,
  latenciesMs: [],
  failures: new Map(),
  opened: 0,
  toldToClose: 0,
  isOver: false,
});

export const failedOf = ({ failures }: Traffic): number => [...failures.values()].reduce((sum, one) => sum + one, 0);

export const whichOf = ({ failures }: Traffic): string =>
  [...failures].map(([what, count]) => `${what}: ${count}`).join(', ') || 'none';

/**
 * Sends one request after another, each of which must be answered 200. Keeps its connection until
 * it is told to close it, as RFC 9112 §9.6 asks of clients.
 * @param onBody takes the body of each 200
 */
export async function drive(
  port: number,
  traffic: Traffic,
  next: () => string,
  onBody: (body: string) => void = () => undefined,
): Promise<void> {
  let connection: Connection | undefined;
  const fail = (what: string): unknown => traffic.failures.set(what, (traffic.failures.get(what) ?? 0) + 1);
  while (!traffic.isOver) {
    const sentAt = performance.now();
    try {
      if (!connection || connection.isClosed) {
        connection = await Connection.open(port);
        traffic.opened++;
      }
      const { status, head, body } = await connection.send(next());
      if (status === 200) onBody(body);
      else fail(String(status));
      if (/\r\nconnection: close/i.test(head)) {
        traffic.toldToClose++;
        connection.close();
        connection = undefined;
      }
    } catch {
      fail('cut');
      connection = undefined;
    }
    traffic.latenciesMs.push(performance.now() - sentAt);
    await sleep(traffic.pauseMs);
  }
  connection?.close();
}
