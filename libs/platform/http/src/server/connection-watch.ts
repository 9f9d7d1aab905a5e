import type { FastifyInstance } from 'fastify';

import { isListed } from '#libs/platform/access';
import type { Config } from '#libs/platform/config';

import { type ConnectionLimit, ConnectionLimits } from './connection-limits.js';

type Settings = Pick<Config, 'TRUST_PROXY' | 'MAX_CONNECTIONS' | 'MAX_CONNECTIONS_PER_ADDRESS'>;
/**
 * How many connections are open, and how many had to go for others, by the limit that was reached.
 */
type ConnectionCounts = { readonly open: () => number; readonly closed: ReadonlyMap<ConnectionLimit, number> };

/** A flood must not fill the log as well. */
const quietMs = 60_000;
const byServer = new WeakMap<object, ConnectionCounts>();

/**
 * Holds a server's connections to `MAX_CONNECTIONS` and `MAX_CONNECTIONS_PER_ADDRESS`, and says
 * when one is reached.
 */
export function limitConnections(server: FastifyInstance, settings: Settings): void {
  const closed = new Map<ConnectionLimit, number>();
  let quietUntil = 0;
  const limits = new ConnectionLimits(server.server, {
    total: settings.MAX_CONNECTIONS,
    perAddress: settings.MAX_CONNECTIONS_PER_ADDRESS,
    isProxy: isListed(settings.TRUST_PROXY),
    onClosed: (limit, ip) => {
      closed.set(limit, (closed.get(limit) ?? 0) + 1);
      const now = performance.now();
      if (now < quietUntil) return;
      quietUntil = now + quietMs;
      server.log.warn({ limit, ip, open: limits.count }, 'too many connections: those that wait longest are closed');
    },
  });
  // before the server waits for the connections that are busy
  server.addHook('preClose', (done) => {
    limits.closeUnused();
    done();
  });
  byServer.set(server.server, { open: () => limits.count, closed });
}

/** What became of the connections of a server. */
export const connectionsOf = ({ server }: FastifyInstance): ConnectionCounts =>
  byServer.get(server) ?? { open: () => 0, closed: new Map() };
