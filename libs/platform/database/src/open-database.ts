import { join } from 'node:path';

import { MikroORM, type AbstractSqlDriver, type Options, type SqlEntityManager } from '@mikro-orm/sql';
import { Migrator } from '@mikro-orm/migrations';
import { Logger } from '@nestjs/common';

import type { Config } from '#libs/platform/config';

import { type DatabaseSchema } from './database.module.js';
import { placeTemplate } from './embedded-template.js';
import { lockFolder } from './lock-folder.js';

export type Orm = MikroORM<AbstractSqlDriver, SqlEntityManager>;
/** Whether this is PGlite: one process, one connection. */
export const isEmbedded = (orm: Orm): boolean => orm.em.getDriver().constructor.name === 'PgliteDriver';

type Where = Pick<Config, 'DATABASE_URL' | 'DATABASE_POOL_SIZE' | 'DATA_DIR'>;

const connectTimeoutMs = 3_000;
const statementTimeoutMs = 10_000;

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
  };
  return where.DATABASE_URL === undefined
    ? openEmbedded(where.DATA_DIR, shared)
    : openPostgres(where.DATABASE_URL, where.DATABASE_POOL_SIZE, shared);
}

async function openPostgres(url: string, poolSize: number, shared: Options): Promise<Orm> {
  const { PostgreSqlDriver } = await import('@mikro-orm/postgresql');
  return MikroORM.init<AbstractSqlDriver, SqlEntityManager>({
    ...shared,
    driver: PostgreSqlDriver,
    clientUrl: url,
    pool: { min: 0, max: poolSize },
    driverOptions: {
      application_name: 'gatehouse',
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      // the server's own limit does not help when the server itself hangs
      query_timeout: statementTimeoutMs + 1_000,
      keepAlive: true,
    },
  });
}

async function openEmbedded(dataDir: string, shared: Options): Promise<Orm> {
  const release = await lockFolder(dataDir);
  const folder = join(dataDir, 'pglite');
  placeTemplate(folder);
  const { PgliteDriver } = await import('@mikro-orm/pglite');
  const orm = await MikroORM.init<AbstractSqlDriver, SqlEntityManager>({
    ...shared,
    driver: PgliteDriver,
    dbName: folder,
  });
  const close = orm.close.bind(orm);
  orm.close = async (force) => {
    await close(force);
    await release();
  };
  return orm;
}
