import { join } from 'node:path';

import { MikroORM, type AbstractSqlDriver, type Options, type SqlEntityManager } from '@mikro-orm/sql';
import { Migrator } from '@mikro-orm/migrations';
import { Logger } from '@nestjs/common';

import type { Config } from '#libs/platform/config';

import { type DatabaseSchema } from './database.module.js';
import { placeTemplate } from './embedded-template.js';
import { lockFolder } from './lock-folder.js';
import { returnLostConnections } from './return-lost-connections.js';

export type Orm = MikroORM<AbstractSqlDriver, SqlEntityManager>;
/** Whether this is PGlite: one process, one connection. */
export const isEmbedded = (orm: Orm): boolean => orm.em.getDriver().constructor.name === 'PgliteDriver';

/**
 * PGlite writes all of its buffers at start: with the 128 MB it would take by itself a start costs 120 ms and 100 MB more.
 * What does not fit is in the system's cache of files.
 */
const embeddedBuffers = '32MB';

type Where = Pick<Config, 'DATABASE_URL' | 'DATABASE_POOL_SIZE' | 'DATA_DIR'> & {
  /** Most milliseconds a statement may take; 0 for as long as it takes, as for migrations. */
  readonly statementMs?: number;
};

const connectTimeoutMs = 3_000;
/**
 * A request that waits for a connection and then for a server that hangs has its 503 within the 10 s that requests have
 * (14 s with a statement of 10; bench/postgres-outage.ts).
 */
const requestStatementMs = 6_000;
/** The server's own limit does not help when the server itself hangs. */
const graceMs = 500;

/** PostgreSQL at `DATABASE_URL`, else the embedded database in `DATA_DIR`, which one process may open at a time. */
export async function openDatabase(where: Where, { entities, migrations }: DatabaseSchema): Promise<Orm> {
  const logger = new Logger('Database');
  const shared = {
    entities: [...entities],
    extensions: [Migrator],
    migrations: { migrationsList: [...migrations], snapshot: false, tableName: 'schema_migrations' },
    logger: (message: string) => logger.debug(message),
    colors: false,
    forceUtcTimezone: true,
    // migrations alone make triggers and functions; tests hold them to what they are for
    schemaGenerator: { ignoreTriggers: true, ignoreRoutines: true },
  };
  return where.DATABASE_URL === undefined
    ? openEmbedded(where.DATA_DIR, shared)
    : openPostgres(where.DATABASE_URL, where, shared);
}

async function openPostgres(
  url: string,
  { DATABASE_POOL_SIZE, statementMs = requestStatementMs }: Where,
  shared: Options,
): Promise<Orm> {
  const { PostgreSqlDriver } = await import('@mikro-orm/postgresql');
  return MikroORM.init<AbstractSqlDriver, SqlEntityManager>({
    ...shared,
    driver: PostgreSqlDriver,
    clientUrl: url,
    pool: { min: 0, max: DATABASE_POOL_SIZE },
    driverOptions: {
      application_name: 'gatehouse',
      connectionTimeoutMillis: connectTimeoutMs,
      ...(statementMs > 0 && { statement_timeout: statementMs }),
      keepAlive: true,
      onPoolCreated: returnLostConnections(statementMs > 0 ? statementMs + graceMs : 0),
    },
  });
}

async function openEmbedded(dataDir: string, shared: Options): Promise<Orm> {
  const release = await lockFolder(dataDir);
  const folder = join(dataDir, 'pglite');
  placeTemplate(folder);
  const [{ PgliteDriver }, { PGlite }, { pg_trgm: trigrams }] = await Promise.all([
    import('@mikro-orm/pglite'),
    import('@electric-sql/pglite'),
    import('@electric-sql/pglite/contrib/pg_trgm'),
  ]);
  const orm = await MikroORM.init<AbstractSqlDriver, SqlEntityManager>({
    ...shared,
    driver: PgliteDriver,
    dbName: folder,
    // the search for users stands on it; the wider world's PostgreSQL has it too
    driverOptions: {
      extensions: { pg_trgm: trigrams },
      startParams: [...PGlite.defaultStartParams, '-c', `shared_buffers=${embeddedBuffers}`],
    },
  });
  const close = orm.close.bind(orm);
  orm.close = async (force) => {
    await close(force);
    await release();
  };
  return orm;
}
