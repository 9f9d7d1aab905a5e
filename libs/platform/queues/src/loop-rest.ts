import type { WorkQueue } from './work-queue.js';

/** Everybody else waits as long. */
const longestMs = 10;
const shortestMs = 1;

/**
 * Lets the event loop rest after refusals while hashes run that will not end yet, so that the refusals of some
 * milliseconds are made in one go. One alone costs two to four times as much: it takes the core from a hash, and finds
 * its code and data driven out of the caches (ADR 15). Where many cores hash, one is always about to end, and there is
 * no rest.
 */
export class LoopRest {
  readonly #cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #isDue = false;

  constructor(private readonly queue: WorkQueue) {}

  /** At the end of this turn of the loop, whose refusals go out before. */
  begin(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      const ms = Math.min(this.queue.noneEndsForMs(), longestMs);
      if (ms >= shortestMs) Atomics.wait(this.#cell, 0, 0, ms);
    });
  }
}
