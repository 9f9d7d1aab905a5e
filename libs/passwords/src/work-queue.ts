import { AppError } from '#libs/platform/errors';

/** Made once: under a flood the trace of a refusal would cost more than the refusal. */
export const overloaded = new AppError('overloaded', { headers: { 'retry-after': '2' } });

type Waiter = { readonly start: () => void; readonly giveUp: (reason: unknown) => void };

/**
 * Lets so many run at a time and so many wait, in order. Who finds the queue full is told at once to come back later,
 * and who leaves while waiting is dropped without costing anything.
 */
export class WorkQueue {
  #running = 0;
  readonly #waiting = new Set<Waiter>();

  constructor(private readonly limits: { readonly concurrency: number; readonly queue: number }) {}

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get isFull(): boolean {
    return this.#waiting.size >= this.limits.queue;
  }

  /** @throws AppError `overloaded` when the queue is full; the signal's reason when it aborts while waiting */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#running < this.limits.concurrency) this.#running++;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.isFull) throw overloaded;
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (): void => waiter.giveUp(signal?.reason);
      const settle = (): void => {
        signal?.removeEventListener('abort', leave);
        this.#waiting.delete(waiter);
      };
      const waiter: Waiter = {
        start: () => {
          settle();
          resolve();
        },
        giveUp: (reason) => {
          settle();
          reject(reason instanceof Error ? reason : new Error('aborted'));
        },
      };
      this.#waiting.add(waiter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  /** A place that comes free goes to the one who has waited longest, without becoming free in between. */
  #passOn(): void {
    const [next] = this.#waiting;
    if (next) next.start();
    else this.#running--;
  }
}
