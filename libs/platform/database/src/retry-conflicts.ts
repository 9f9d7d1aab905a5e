import { setTimeout as sleep } from 'node:timers/promises';

import { type AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';

import { isConflict } from './database-errors.js';

const attempts = 4;
const firstPauseMs = 10;

/**
 * Does work again that lost against another transaction: all of it was rolled back. At most three
 * times more, after 5 to 80 ms, at random so that the two do not meet again.
 */
export async function retryConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === attempts || !isConflict(error)) throw error;
    }
    await sleep(firstPauseMs * 2 ** attempt * (0.25 + Math.random() * 0.75));
  }
}

type Work<Em, T> = (em: Em) => T | Promise<T>;
type TransactionOptions = Parameters<SqlEntityManager['transactional']>[1];

/**
 * The one place where transactions begin. One that lost against another (SQLSTATE 40001, 40P01)
 * begins anew, so its work must leave nothing outside of the database that a second run would not
 * leave as well.
 * @param settings a statement that each transaction begins with, where a session cannot have
 * settings of its own
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
