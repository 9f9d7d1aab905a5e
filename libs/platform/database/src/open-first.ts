import { Logger } from '@nestjs/common';
import pg from 'pg';

import { type ConnectionPlan, DatabaseClient } from './database-client.js';
import { ConnectionError } from './database-errors.js';
import type { Orm } from './open-database.js';

type Found = {
  readonly database: string;
  readonly hidden_schema: string | null;
  readonly search_path: string;
  readonly unlimited: readonly string[];
};

/** Where our tables are if statements do not find them, and which limits nobody has set. */
const look = `select current_database() as database,
    (select nspname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where relname = 'login_delays' and relkind = 'r' and to_regclass('login_delays') is null limit 1) as hidden_schema,
    current_setting('search_path') as search_path,
    array(select name from unnest(array['statement_timeout', 'lock_timeout']) as name where current_setting(name) = '0')
      as unlimited`;

/**
 * Makes the first connection of the pool, and says in the log how it is connected: all but the
 * password.
 * @throws ConnectionError in one sentence when it cannot be made, or would have the service begin
 * anew beside its tables
 */
export async function openFirst(orm: Orm, plan: ConnectionPlan): Promise<void> {
  const pool: unknown = await orm.em.getConnection().getNativeClient();
  if (!(pool instanceof pg.Pool)) throw new Error('This driver has no pool');
  const client = await connect(pool, plan);
  try {
    const [found] = (await client.query<Found>(look)).rows;
    if (!found) return;
    if (found.hidden_schema !== null) throw new ConnectionError('DATABASE_URL', new Error(explainHidden(found)));
    // behind a pooler it may have another name than in the URL, and the migrator would make one of
    // that name
    orm.config.set('dbName', found.database);
    if (plan.limits.statementMs > 0 && client instanceof DatabaseClient) report(client, found);
  } finally {
    client.release();
  }
}

/** A database that is not there is made, if the role may do so. */
async function connect(pool: pg.Pool, plan: ConnectionPlan): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    if (!isMissing(error)) throw error;
    const { database, user } = await plan.target();
    const target = async () => ({ ...(await plan.target()), database: 'postgres' });
    const client = new DatabaseClient({ ...plan, target });
    try {
      await client.connect();
      await client.query(`create database ${pg.escapeIdentifier(database ?? user ?? '')}`);
    } catch {
      // another replica may have been first; else the reason is that it is missing
    } finally {
      await client.end();
    }
    return pool.connect();
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof ConnectionError && error.cause instanceof pg.DatabaseError && error.cause.code === '3D000';

function report({ facts }: DatabaseClient, { unlimited }: Found): void {
  const logger = new Logger('Database');
  logger.log({ event: 'connected to PostgreSQL', ...facts });
  if (!facts.pooled || unlimited.length === 0) return;
  const event = 'through a pooler in transaction mode the role must have these limits, or statements have none';
  logger.warn({ event, settings: unlimited });
}

const explainHidden = ({ hidden_schema, search_path }: Found): string =>
  `the tables are in the schema ${String(hidden_schema)}, but search_path is ${search_path}: ` +
  `add options=-c%20search_path%3D${String(hidden_schema)} to the URL`;
