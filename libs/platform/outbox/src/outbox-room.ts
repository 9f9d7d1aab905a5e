import type { SqlEntityManager } from '@mikro-orm/sql';

import { AppError } from '#libs/platform/errors';

import { countWaiting } from './outbox.sql.js';

const mostWaiting = 100_000;
const countedForMs = 1_000;
const retryAfterSeconds = '30';

/**
 * Whether strangers may add to the outbox. It is counted at most once a second and up to the limit:
 * together, replicas may pass it by what they take in a second.
 */
export class OutboxRoom {
  #waiting = 0;
  #countedAtMs = -Infinity;

  /**
   * Takes a place. It counts in the transaction of the caller: a second connection for each of many
   * requests could use the pool up.
   * @throws AppError `unavailable` when too much waits
   */
  async take(em: SqlEntityManager): Promise<void> {
    if (performance.now() - this.#countedAtMs >= countedForMs) {
      // set before the answer, so that of many requests one counts
      this.#countedAtMs = performance.now();
      const [row] = await em.execute<{ count: number }[]>(countWaiting, [mostWaiting]);
      this.#waiting = row?.count ?? 0;
    }
    if (this.#waiting >= mostWaiting) {
      throw new AppError('unavailable', { headers: { 'retry-after': retryAfterSeconds } });
    }
    this.#waiting++;
  }
}
