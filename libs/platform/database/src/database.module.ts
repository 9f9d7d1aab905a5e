import { setTimeout as sleep } from 'node:timers/promises';

import { type EntitySchema, type MigrationObject, MikroORM, SqlEntityManager } from '@mikro-orm/sql';
import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';

import { ReplicaNotifications } from './replica-notifications.js';
import { isPooled } from './connection-plan.js';
import { DatabaseClock } from './database-clock.js';
import { DatabaseVitals } from './database-vitals.js';
import { migrate } from './migrate.js';
import { usesPglite, openDatabase, type Orm } from './open-database.js';
import { Sql } from './sql.js';
import { Sweeper } from './sweeper.js';

/**
 * All tables and how they came about; assembled by `#libs/migrations`, since platform knows no
 * feature.
 */
export type DatabaseSchema = {
  readonly entities: readonly EntitySchema[];
  readonly migrations: readonly MigrationObject[];
};

const closeTimeoutMs = 3_000;

/** Opens the database, brings its schema up to date if configured, and closes it last of all. */
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(MikroORM) private readonly orm: Orm) {}

  static forRoot(schema: DatabaseSchema): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      providers: [
        {
          provide: MikroORM,
          inject: [CONFIG],
          useFactory: async (config: Config): Promise<Orm> => {
            const orm = await openDatabase(config, schema);
            if (config.MIGRATE_ON_START) await migrateFirst(orm, config, schema);
            return orm;
          },
        },
        { provide: SqlEntityManager, inject: [MikroORM], useFactory: (orm: Orm) => orm.em },
        {
          provide: Sql,
          inject: [MikroORM, CONFIG],
          useFactory: (orm: Orm, config: Config) => Sql.of(orm, isPooled(config)),
        },
        ReplicaNotifications,
        DatabaseClock,
        DatabaseVitals,
        Sweeper,
      ],
      exports: [MikroORM, SqlEntityManager, Sql, ReplicaNotifications, DatabaseClock, Sweeper],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    // a pool that is opening a connection while it closes may never say that it has closed
    await Promise.race([this.orm.close(true), sleep(closeTimeoutMs, undefined, { ref: false })]);
  }
}

/**
 * Requests have seconds; a migration of a large table takes as long as it takes, on a connection of
 * its own.
 */
async function migrateFirst(orm: Orm, config: Config, schema: DatabaseSchema): Promise<void> {
  if (usesPglite(orm)) {
    await migrate(orm);
    return;
  }
  const patient = await openDatabase({ ...config, statementMs: 0 }, schema);
  try {
    await migrate(patient);
  } finally {
    await patient.close(true);
  }
}
