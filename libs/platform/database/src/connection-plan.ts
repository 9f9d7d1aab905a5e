import { type Config, type DatabaseTarget, parseDatabaseUrl, readSecretFile } from '#libs/platform/config';

import type { ConnectionPlan } from './database-client.js';

export type DatabaseConfig = Pick<
  Config,
  'DATABASE_URL' | 'DATABASE_LISTEN_URL' | 'DATABASE_POOL_SIZE' | 'DATA_DIR' | 'secretFiles'
>;

const connectTimeoutMs = 3_000;
/**
 * Well under the 3 s that others wait for a connection: who waits for a locked row keeps one from
 * them.
 */
const lockMs = 1_000;
/** A replica that froze in a transaction keeps its locks no longer than this. */
const idleMs = 60_000;

/**
 * Whether a pooler in transaction mode stands between the pool and PostgreSQL: the URL says so, or
 * that there is another way for the connection that listens.
 */
export const isPooled = ({ DATABASE_URL, DATABASE_LISTEN_URL }: DatabaseConfig): boolean =>
  DATABASE_URL !== undefined && (DATABASE_LISTEN_URL !== undefined || parseDatabaseUrl(DATABASE_URL).isPooled);

/** How the pool connects. @param statementMs 0 where everything may take as long as it takes */
export function connectionPlan(config: DatabaseConfig, statementMs: number): ConnectionPlan {
  return {
    target: () => read(config, 'DATABASE_URL'),
    nameSuffix: '',
    isPooled: isPooled(config),
    limits: statementMs > 0 ? { statementMs, lockMs, idleMs } : { statementMs: 0, lockMs: 0, idleMs: 0 },
    last: {},
    timeoutMs: parseDatabaseUrl(config.DATABASE_URL ?? '').connectTimeoutMs ?? connectTimeoutMs,
  };
}

/** How the one connection that listens does: past the pooler, when there is a way. */
export function listenerPlan(config: DatabaseConfig): ConnectionPlan {
  const name = config.DATABASE_LISTEN_URL === undefined ? 'DATABASE_URL' : 'DATABASE_LISTEN_URL';
  const isDirect = name === 'DATABASE_LISTEN_URL';
  return {
    ...connectionPlan(config, 0),
    target: () => read(config, name),
    nameSuffix: ' listener',
    isPooled: !isDirect && isPooled(config),
    timeoutMs: connectTimeoutMs,
  };
}

async function read(config: DatabaseConfig, name: 'DATABASE_URL' | 'DATABASE_LISTEN_URL'): Promise<DatabaseTarget> {
  return parseDatabaseUrl((await readSecretFile(config, name)) ?? config[name] ?? '');
}
