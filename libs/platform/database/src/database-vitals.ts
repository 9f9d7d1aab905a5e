import { MikroORM } from '@mikro-orm/sql';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { MetricSources, ReadinessChecks } from '#libs/platform/monitoring';

import type { Orm } from './open-database.js';
import { Sql, type Statement } from './sql.js';

const probeTimeoutMs = 2_000;
const alive: Statement = { text: 'select 1', query_timeout: probeTimeoutMs };
/** How many of ours have not run. Those of a newer release may have: migrations expand before they contract. */
const pending: Statement = {
  text: `select count(*)::int as count from unnest($1::text[]) as wanted (name)
    where not exists (select 1 from schema_migrations where schema_migrations.name = wanted.name)`,
  query_timeout: probeTimeoutMs,
};

/** What the database says of itself: whether it answers, whether its schema is ours, how full the pool is. */
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
    this.checks.register('database', async () => (await this.sql.rows(alive, [])).length === 1);
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
