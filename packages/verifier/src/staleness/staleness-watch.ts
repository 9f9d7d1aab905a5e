const leastDelayMs = 50;

/** Says when what is known of revocations becomes too old, and when it is no longer. */
export class StalenessWatch {
  #isStale = true;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param ageMs of what is known
   * @param onChange is told of each change; before the first walk it is stale
   */
  constructor(
    private readonly ageMs: () => number,
    private readonly afterMs: number,
    private readonly onChange: (change: 'stale' | 'fresh') => void,
  ) {
    this.#watch();
  }

  /** Looks now; `verify` calls it too, so that no call is judged before its event. */
  check(): void {
    const isStale = this.ageMs() > this.afterMs;
    if (isStale === this.#isStale) return;
    this.#isStale = isStale;
    this.onChange(isStale ? 'stale' : 'fresh');
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #watch(): void {
    this.check();
    const untilStaleMs = this.afterMs - this.ageMs() + 1;
    this.#timer = setTimeout(() => this.#watch(), Math.max(leastDelayMs, untilStaleMs));
  }
}
