import { setTimeout as sleep } from 'node:timers/promises';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Logger } from '@nestjs/common';

import { lockInTransaction, pollForLock } from './advisory-locks.js';
import { isLockTimeout } from './database-errors.js';
import { usesPglite, type Orm } from './open-database.js';

/**
 * What a migration waits for, requests of running replicas wait for behind it, and they give up
 * after 1 s. So it gives up first, three locks in a row included.
 */
const lockMs = 250;
const retryMs = 1_000;

type Names = readonly string[];

/**
 * Runs the pending migrations. Those that run in a transaction and follow each other run all or
 * none; one that does not (it makes indexes concurrently) runs by itself. Replicas that start at
 * once wait for the first of them and then find nothing to do; the embedded database has one
 * process and one connection, which a lock would keep for itself.
 * @returns the names of the migrations that ran
 */
export async function migrate(orm: Orm): Promise<Names> {
  if (usesPglite(orm)) return namesOf(await orm.migrator.up());
  const done: string[] = [];
  for (;;) {
    done.push(...(await whenUnlocked(() => inTransaction(orm))));
    const ran = await concurrently(orm);
    if (ran.length === 0) return done;
    done.push(...ran);
  }
}

/** Runs those up to the next that runs without a transaction. */
const inTransaction = (orm: Orm): Promise<Names> =>
  orm.em.fork().transactional(async (em) => {
    await lockInTransaction(em, 'migrations');
    const pending = namesOf(await orm.migrator.getPending());
    const end = pending.findIndex((name) => !isTransactional(orm, name));
    await em.execute(`set local lock_timeout = ${String(lockMs)}`);
    return run(orm, em, end === -1 ? pending : pending.slice(0, end));
  });

/**
 * Runs the next one, when it is one without a transaction. Its lock is another one: a replica of a
 * release before waits for `migrations` in a statement, which would hold it up for ever.
 */
const concurrently = (orm: Orm): Promise<Names> =>
  orm.em.fork().transactional(async (em) => {
    await pollForLock(em, 'indexes');
    const [next] = namesOf(await orm.migrator.getPending());
    return next === undefined || isTransactional(orm, next) ? [] : run(orm, em, [next]);
  });

async function run(orm: Orm, em: SqlEntityManager, names: Names): Promise<Names> {
  const transaction = em.getTransactionContext();
  if (names.length === 0 || !transaction) return [];
  return namesOf(await orm.migrator.up({ migrations: [...names], transaction }));
}

function isTransactional(orm: Orm, name: string): boolean {
  for (const migration of orm.config.get('migrations').migrationsList ?? []) {
    if (typeof migration === 'object' && migration.name === name) {
      return new migration.class(orm.em.getDriver(), orm.config).isTransactional();
    }
  }
  return true;
}

/** Tries again for as long as somebody, such as a dump, keeps a lock that is needed. */
async function whenUnlocked(work: () => Promise<Names>): Promise<Names> {
  for (let hasSaid = false; ; hasSaid = true) {
    try {
      return await work();
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      if (!hasSaid) new Logger('Database').warn({ event: 'a migration waits for a lock that somebody keeps' });
    }
    await sleep(retryMs);
  }
}

const namesOf = (migrations: readonly { name: string }[]): Names => migrations.map(({ name }) => name);
