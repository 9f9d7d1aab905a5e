import { Socket } from 'node:net';

import type { Pool, PoolClient } from 'pg';

const lookEveryMs = 200;

/**
 * Kysely does not give a connection back whose `begin`, `commit` or `rollback` fails, so each
 * connection that is lost in a transaction took a place of the pool for ever: after a crash of
 * PostgreSQL under load every request got 503 until a restart (bench/postgres-outage.ts). Here a
 * lost connection goes back by itself, and one whose server has not answered for `silentMs` is
 * ended. (0: it is waited for.)
 */
export const returnLostConnections =
  (silentMs: number) =>
  (pool: Pool): void => {
    pool.on('connect', (client: PoolClient) => {
      if (silentMs > 0) endWhenSilent(client, silentMs);
      client.once('end', () => giveBack(client));
    });
  };

const ended = (): void => undefined;

/**
 * A connection that a server made while it took no writes keeps that for ever: the next one may be
 * to the new primary.
 */
export function retireSpent(pool: Pool): void {
  pool.on('release', (_error: Error | undefined, client: PoolClient) => {
    // the pool lets go of what is ending
    const end: unknown = Reflect.get(client, 'end');
    if (Reflect.get(client, 'isSpent') === true && typeof end === 'function') Reflect.apply(end, client, [ended]);
  });
}

/**
 * In place of the driver's `query_timeout`, whose timer a query kept every result alive through
 * V8's young generation: a page of 50 users cost 100 µs more in garbage collection. One look at a
 * time is enough, since a connection of the pool has one query at a time; what would be sent after
 * a silent one, a `rollback` too, would wait as long again.
 */
function endWhenSilent(client: PoolClient, silentMs: number): void {
  let askedAtMs = Infinity;
  const query: (...parameters: unknown[]) => unknown = client.query.bind(client);
  Reflect.set(client, 'query', (...parameters: unknown[]): unknown => {
    askedAtMs = performance.now();
    return query(...parameters);
  });
  client.on('drain', () => {
    askedAtMs = Infinity;
  });
  const look = setInterval(() => {
    if (performance.now() - askedAtMs > silentMs) destroy(client, new Error('Query read timeout'));
  }, lookEveryMs).unref();
  client.once('end', () => clearInterval(look));
}

function destroy(client: PoolClient, reason: Error): void {
  const connection: unknown = Reflect.get(client, 'connection');
  const stream: unknown = typeof connection === 'object' && connection ? Reflect.get(connection, 'stream') : undefined;
  if (stream instanceof Socket) stream.destroy(reason);
}

/**
 * Who holds it may still give it back: then, as when the pool has it already, there is nothing left
 * to do.
 */
function giveBack(client: PoolClient): void {
  const release: unknown = Reflect.get(client, 'release');
  if (typeof release !== 'function') return;
  client.release = () => undefined;
  try {
    Reflect.apply(release, client, [true]);
  } catch {
    // it was not out
  }
}
