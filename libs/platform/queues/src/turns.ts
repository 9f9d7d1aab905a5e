import { setTimeout as sleep } from 'node:timers/promises';

import { AppError } from '#libs/platform/errors';

/**
 * Work about one thing comes one after the other: what waits for a locked row of the database waits here, with nothing in
 * hand, and holds no more than one connection of the pool.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** @param patienceMs for what came before; who comes after work that failed late fails with it */
  constructor(private readonly patienceMs: number) {}

  /** @throws AppError `unavailable` when the turn does not come in time */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    this.#last.set(key, over);
    try {
      if (before && !(await this.#comes(before)))
        throw new AppError('unavailable', { headers: { 'retry-after': '2' } });
      return await work();
    } finally {
      // whoever gave up keeps the place for those behind, so that nobody overtakes
      void (before ?? Promise.resolve()).then(() => {
        if (this.#last.get(key) === over) this.#last.delete(key);
        end();
      });
    }
  }

  async #comes(before: Promise<void>): Promise<boolean> {
    const settled = new AbortController();
    const { signal } = settled;
    const late = sleep(this.patienceMs, false, { signal, ref: false }).catch(() => false);
    try {
      return await Promise.race([before.then(() => true), late]);
    } finally {
      settled.abort();
    }
  }
}
