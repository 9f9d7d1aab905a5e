import { setTimeout as sleep } from 'node:timers/promises';

import { isConflict } from './database-errors.js';

const attempts = 4;
const firstPauseMs = 10;

/**
 * Does work again that lost against another transaction: all of it was rolled back. At most three times more, after 5 to
 * 80 ms, at random so that the two do not meet again.
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
