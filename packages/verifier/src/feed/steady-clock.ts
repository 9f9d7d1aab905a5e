/** More than a clock is slewed by between two looks. */
const jumpMs = 1_000;

/**
 * Milliseconds that never go back. The monotonic clock stands still while a machine is suspended
 * (Linux `CLOCK_MONOTONIC`), and what was known before would look fresh after: what the wall clock
 * has gained on it counts as time that has passed.
 */
export class SteadyClock {
  #gainedMs = 0;
  #differenceMs: number | undefined;

  constructor(
    private readonly monotonicMs: () => number,
    private readonly wallMs: () => number,
  ) {}

  now(): number {
    const monotonicMs = this.monotonicMs();
    const differenceMs = this.wallMs() - monotonicMs;
    const gainedMs = differenceMs - (this.#differenceMs ?? differenceMs);
    this.#differenceMs = differenceMs;
    if (gainedMs > jumpMs) this.#gainedMs += gainedMs;
    return monotonicMs + this.#gainedMs;
  }
}

const clock = new SteadyClock(
  () => performance.now(),
  () => Date.now(),
);

/** This process's own clock, by which the age of what is known is measured. */
export const steadyMs = (): number => clock.now();
