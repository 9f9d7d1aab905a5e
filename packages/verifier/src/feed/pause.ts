import { steadyMs } from './steady-clock.js';

const leastBackoffMs = 100;
const mostBackoffMs = 5_000;

/**
 * Full jitter: what fails for many at once is not tried again by all at once.
 * @param failures in a row, the last one included
 * @returns milliseconds to wait
 */
export function backoffMs(failures: number): number {
  return Math.random() * Math.min(mostBackoffMs, leastBackoffMs * 2 ** Math.min(failures, 16));
}

const limitWaitMs = 60_000;

/** A wait for a moment that may change meanwhile. */
export class Pause {
  #wake: () => void = () => undefined;
  #isClosed = false;

  /**
   * One at a time.
   * @param moment by the steady clock; asked again after each `wake`
   */
  async until(moment: () => number): Promise<void> {
    for (let ms = moment() - steadyMs(); ms > 0 && !this.#isClosed; ms = moment() - steadyMs()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(Math.ceil(ms), limitWaitMs));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  wake(): void {
    this.#wake();
  }

  /** Ends the wait, and those that come. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }
}
