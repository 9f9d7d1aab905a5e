import { setTimeout as sleep } from 'node:timers/promises';

import { AppError } from '#libs/platform/errors';

/**
 * Work with the same key runs one after the other. What would wait for a locked row of the database
 * waits here instead, so that each key holds at most one connection of the pool.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** @param turnTimeoutMs in which the work before must end; else the call fails */
  constructor(private readonly turnTimeoutMs: number) {}

  /** @throws AppError `unavailable` when the work before does not end in time */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    this.#last.set(key, over);
    try {
      if (before && !(await this.#comes(before)))
        throw new AppError('unavailable', { headers: { 'retry-after': '2' } });
      return await work();
    } finally {
      // work that gave up keeps its turn until the work before has ended: nothing overtakes
      void (before ?? Promise.resolve()).then(() => {
        if (this.#last.get(key) === over) this.#last.delete(key);
        end();
      });
    }
  }

  async #comes(before: Promise<void>): Promise<boolean> {
    const settled = new AbortController();
    const { signal } = settled;
    const late = sleep(this.turnTimeoutMs, false, { signal, ref: false }).catch(() => false);
    try {
      return await Promise.race([before.then(() => true), late]);
    } finally {
      settled.abort();
    }
  }
}
