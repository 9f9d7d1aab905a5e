import { MikroORM } from '@mikro-orm/sql';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { MetricSources, ReadinessChecks } from '#libs/platform/monitoring';

import type { Orm } from './open-database.js';
import { Sql, type Statement } from './sql.js';

const probeTimeoutMs = 2_000;
/**
 * A session keeps the defaults that it began with. So the ones of now are looked up as well: a
 * database that was made read-only is so for new connections, while old ones write on.
 */
const writable: Statement = {
  text: `select current_setting('transaction_read_only') = 'off' and not pg_is_in_recovery() and not coalesce((
      select split_part(setting, '=', 2)::boolean
      from pg_db_role_setting, unnest(setconfig) as setting
      where setting like 'default\\_transaction\\_read\\_only=%'
        and setdatabase in (0, (select oid from pg_database where datname = current_database()))
        and setrole in (0, (select oid from pg_roles where rolname = session_user))
      order by setrole <> 0 desc, setdatabase <> 0 desc limit 1
    ), false) as is_writable`,
  query_timeout: probeTimeoutMs,
};
/**
 * How many of ours have not run. Those of a newer release may have: migrations expand before they
 * contract.
 */
const pending: Statement = {
  text: `select count(*)::int as count from unnest($1::text[]) as wanted (name)
    where not exists (select 1 from schema_migrations where schema_migrations.name = wanted.name)`,
  query_timeout: probeTimeoutMs,
};

/**
 * What the database says of itself: whether it takes writes, whether its schema is ours, how full
 * the pool is.
 */
@Injectable()
export class DatabaseVitals implements OnModuleInit {
  constructor(
    @Inject(MikroORM) private readonly orm: Orm,
    private readonly sql: Sql,
    private readonly checks: ReadinessChecks,
    private readonly metrics: MetricSources,
  ) {}

  onModuleInit(): void {
    const wanted = (this.orm.config.get('migrations').migrationsList ?? []).map(nameOf);
    this.checks.register('database', () => this.sql.hasFitSession(writable, 'is_writable'));
    this.checks.register('migrations', async () => {
      const row = await this.sql.row<{ count: number }>(pending, [wanted]);
      return row?.count === 0;
    });
    const { sql } = this;
    this.metrics.register({
      name: 'database_connections',
      help: 'Connections of the PostgreSQL pool by state, and requests that wait for one',
      kind: 'gauge',
      labelNames: ['state'],
      read: () => Object.entries(sql.pool).map(([state, value]) => ({ labels: { state }, value })),
    });
  }
}

const nameOf = (migration: unknown): string => {
  const name: unknown =
    typeof migration === 'object' && migration !== null ? Reflect.get(migration, 'name') : undefined;
  if (typeof name !== 'string') throw new Error('A migration has no name');
  return name;
};
