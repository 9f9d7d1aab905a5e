/** So many that ended last are remembered: the shortest of them tells how long one takes at least. */
const remembered = 16;
/** Of that so much is counted on: who waited longer than a work takes would keep the next one waiting. */
const surePart = 0.7;

/** Since when works run and how long the last ones took. */
export class WorkClock {
  /** In the order in which they began. */
  readonly #running = new Set<{ readonly since: number }>();
  readonly #tookMs: number[] = [];
  #ended = 0;

  async time<T>(work: () => Promise<T>): Promise<T> {
    const one = { since: performance.now() };
    this.#running.add(one);
    try {
      return await work();
    } finally {
      this.#running.delete(one);
      this.#tookMs[this.#ended++ % remembered] = performance.now() - one.since;
    }
  }

  /** For so many milliseconds none that runs now will end; 0 or less when one may end at any time. */
  sureMs(): number {
    const [first] = this.#running;
    if (!first || this.#ended < remembered) return 0;
    return first.since + Math.min(...this.#tookMs) * surePart - performance.now();
  }
}
