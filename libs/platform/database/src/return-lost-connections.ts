import type { Pool, PoolClient } from 'pg';

/**
 * Kysely does not give a connection back whose `begin`, `commit` or `rollback` fails, so each connection that is lost in
 * a transaction took a place of the pool for ever: after a crash of PostgreSQL under load every request got 503 until a
 * restart (bench/postgres-outage.ts). Here a lost connection goes back by itself, and one whose server hangs is ended.
 */
export function returnLostConnections(pool: Pool): void {
  pool.on('connect', (client: PoolClient) => {
    endWhenSilent(client);
    client.once('end', () => giveBack(client));
  });
}

/** A query that timed out is still under way: whatever is sent after it, a `rollback` too, would wait as long again. */
function endWhenSilent(client: PoolClient): void {
  const query: (...parameters: unknown[]) => unknown = client.query.bind(client);
  const guarded = (...parameters: unknown[]): unknown => {
    const result = query(...parameters);
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        if (error instanceof Error && error.message === 'Query read timeout') destroy(client);
      });
    }
    return result;
  };
  Reflect.set(client, 'query', guarded);
}

function destroy(client: PoolClient): void {
  const connection: unknown = Reflect.get(client, 'connection');
  const stream: unknown = typeof connection === 'object' && connection ? Reflect.get(connection, 'stream') : undefined;
  if (stream instanceof Object && 'destroy' in stream && typeof stream.destroy === 'function') stream.destroy();
}

/** Who holds it may still give it back: then, as when the pool has it already, there is nothing left to do. */
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
