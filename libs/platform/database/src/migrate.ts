import { isEmbedded, type Orm } from './open-database.js';

/** Any number that no other user of the database takes: 'gate' in ASCII. */
const migrationLock = 0x67617465;

/**
 * Runs the pending migrations, all or none. Replicas that start at once wait for the first of them and then find
 * nothing to do; the embedded database has one process and one connection, which a lock would keep for itself.
 * @returns the names of the migrations that ran
 */
export async function migrate(orm: Orm): Promise<readonly string[]> {
  if (isEmbedded(orm)) return namesOf(await orm.migrator.up());
  return orm.em.fork().transactional(async (em) => {
    await em.execute('select pg_advisory_xact_lock(?)', [migrationLock]);
    const transaction = em.getTransactionContext();
    return namesOf(await orm.migrator.up(transaction ? { transaction } : {}));
  });
}

const namesOf = (migrations: readonly { name: string }[]): readonly string[] => migrations.map(({ name }) => name);
