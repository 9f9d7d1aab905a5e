/** Many who ask at once share a read that begins after they asked. */
export class SharedRead {
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(private readonly read: () => Promise<void>) {}

  /** Resolves when what was committed by now has been read. @throws what `read` throws */
  run(): Promise<void> {
    if (this.#next) return this.#next;
    if (!this.#running) return this.#start();
    this.#next = this.#running.catch(() => undefined).then(() => this.#start());
    return this.#next;
  }

  #start(): Promise<void> {
    this.#next = undefined;
    this.#running = this.read().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}
