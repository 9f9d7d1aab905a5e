/** Those of transactions that nobody waits for are forgotten, the oldest first. */
const keptIds = 1_000;

/**
 * The notices that this replica has sent to itself. PostgreSQL wakes all who listen at once: on a
 * busy machine, one that has come back tells that the others are on their way, which time does not.
 */
export class OwnNotices {
  readonly #heard = new Set<string>();
  readonly #awaited = new Map<string, () => void>();

  hear(id: string): void {
    const resolve = this.#awaited.get(id);
    if (resolve) return resolve();
    this.#heard.add(id);
    const [oldest] = this.#heard;
    if (this.#heard.size > keptIds && oldest !== undefined) this.#heard.delete(oldest);
  }

  /** Resolves when the notice has come back, or after the time. */
  async cameBack(id: string, withinMs: number): Promise<void> {
    if (this.#heard.delete(id)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited.set(id, resolve);
    const timer = setTimeout(resolve, withinMs);
    await promise;
    clearTimeout(timer);
    this.#awaited.delete(id);
  }
}
