import { type AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';

import { retryConflicts } from './retry-conflicts.js';

type Work<Em, T> = (em: Em) => T | Promise<T>;
type TransactionOptions = Parameters<SqlEntityManager['transactional']>[1];

/**
 * The one place where transactions begin. One that lost against another (SQLSTATE 40001, 40P01) begins anew, so its work
 * must leave nothing outside of the database that a second run would not leave as well.
 * @param settings a statement that each transaction begins with, where a session cannot have settings of its own
 */
export const retryingEntityManager = (settings?: string): typeof SqlEntityManager =>
  class RetryingEntityManager<Driver extends AbstractSqlDriver> extends SqlEntityManager<Driver> {
    override async transactional<T>(work: Work<this, T>, options: TransactionOptions = {}): Promise<T> {
      // a savepoint goes with its transaction
      if (this.isInTransaction()) return super.transactional(work, options);
      return retryConflicts(() =>
        super.transactional(
          async (em) => {
            if (settings !== undefined) await em.execute(settings);
            return work(em);
          },
          { ...options },
        ),
      );
    }
  };
