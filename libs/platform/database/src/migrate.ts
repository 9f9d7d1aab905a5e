import { lockInTransaction } from './advisory-locks.js';
import { usesPglite, type Orm } from './open-database.js';

/**
 * Runs the pending migrations, all or none. Replicas that start at once wait for the first of them
 * and then find nothing to do; the embedded database has one process and one connection, which a
 * lock would keep for itself.
 * @returns the names of the migrations that ran
 */
export async function migrate(orm: Orm): Promise<readonly string[]> {
  if (usesPglite(orm)) return namesOf(await orm.migrator.up());
  return orm.em.fork().transactional(async (em) => {
    await lockInTransaction(em, 'migrations');
    const transaction = em.getTransactionContext();
    return namesOf(await orm.migrator.up(transaction ? { transaction } : {}));
  });
}

const namesOf = (migrations: readonly { name: string }[]): readonly string[] => migrations.map(({ name }) => name);
