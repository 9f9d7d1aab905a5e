import { join } from 'node:path';

import { MikroORM, type AbstractSqlDriver, type Options, type SqlEntityManager } from '@mikro-orm/sql';
import { Migrator } from '@mikro-orm/migrations';
import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';

import { isEmbedded } from '#libs/platform/config';

import { type DatabaseSchema } from './database.module.js';
import { placeTemplate } from './embedded-template.js';
import { lockFolder } from './lock-folder.js';
import { connectionPlan, type DatabaseConfig } from './connection-plan.js';
import { retireSpent, returnLostConnections } from './return-lost-connections.js';
import { retryingEntityManager } from './retry-conflicts.js';

export type Orm = MikroORM<AbstractSqlDriver, SqlEntityManager>;
/** Whether this is PGlite: one process, one connection. */
export const usesPglite = (orm: Orm): boolean => orm.em.getDriver().constructor.name === 'PgliteDriver';

/**
 * PGlite writes all of its buffers at start: with the 128 MB it would take by itself a start costs
 * 120 ms and 100 MB more. What does not fit is in the system's cache of files.
 */
const embeddedBuffers = '32MB';

type Where = DatabaseConfig & {
  /** Most milliseconds a statement may take; 0 for as long as it takes, as for migrations. */
  readonly statementMs?: number;
};

/**
 * A request that waits for a connection and then for a server that hangs has its 503 within the 10
 * s that requests have (14 s with a statement of 10; bench/postgres-outage.ts).
 */
const requestStatementMs = 6_000;
/** The server's own limit does not help when the server itself hangs. */
const graceMs = 500;
/**
 * The transaction of a migration has one, and what the migrator looks up beside it needs another.
 */
const migrationConnections = 2;

/**
 * PostgreSQL at `DATABASE_URL`, else the embedded database in `DATA_DIR`, which one process may
 * open at a time.
 */
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
  return isEmbedded(where) ? openEmbedded(where.DATA_DIR, shared) : openPostgres(where, shared);
}

async function openPostgres(where: Where, shared: Options): Promise<Orm> {
  const { statementMs = requestStatementMs } = where;
  const [{ PostgreSqlDriver }, { clientClass }, { transactionSettings }, { openFirst }] = await Promise.all([
    import('@mikro-orm/postgresql'),
    import('./database-client.js'),
    import('./session-settings.js'),
    import('./open-first.js'),
  ]);
  const plan = connectionPlan(where, statementMs);
  const orm = await MikroORM.init<AbstractSqlDriver, SqlEntityManager>({
    ...shared,
    driver: PostgreSqlDriver,
    entityManager: retryingEntityManager(plan.isPooled ? transactionSettings(plan.limits) : undefined),
    // the connections know where they go: the ORM would read half of the URL by itself. `openFirst`
    // puts the name right
    dbName: 'postgres',
    ensureDatabase: false,
    pool: { min: 0, max: statementMs > 0 ? where.DATABASE_POOL_SIZE : migrationConnections },
    driverOptions: {
      Client: clientClass(plan),
      connectionTimeoutMillis: plan.timeoutMs,
      onPoolCreated: (pool: Pool) => {
        returnLostConnections(statementMs > 0 ? statementMs + graceMs : 0)(pool);
        retireSpent(pool);
      },
    },
  });
  try {
    await openFirst(orm, plan);
  } catch (error) {
    await orm.close(true);
    throw error;
  }
  return orm;
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
    entityManager: retryingEntityManager(),
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
