import { AppError } from '#libs/platform/errors';

/** Made once: under a flood the trace of a refusal would cost more than the refusal. */
export const overloaded = new AppError('overloaded', { headers: { 'retry-after': '2' } });

type Limits = {
  /** Pieces of work that run at the same time in this process. */
  readonly concurrency: number;
  /** Pieces of work that wait, with those that have a reservation. Beyond it: `overloaded`. */
  readonly queue: number;
};

/** Work waits until its signal aborts; with a reservation it may wait when the queue is full. */
export type Wait = {
  readonly signal?: AbortSignal | undefined;
  readonly reservation?: QueueReservation | undefined;
};

type Waiter = { readonly start: () => void; readonly giveUp: (reason: unknown) => void };

/** Room in a queue for work that comes later. `run` gives it back, or the end of its scope. */
class QueueReservation implements Disposable {
  #giveBack: (() => void) | undefined;

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack;
  }

  [Symbol.dispose](): void {
    this.#giveBack?.();
    this.#giveBack = undefined;
  }
}

/**
 * A semaphore with a bounded queue: work starts in the order in which it came. When the queue is
 * full, a caller is told at once to come back later. Work whose signal aborts while it waits is
 * dropped and costs nothing.
 */
export class WorkQueue {
  #running = 0;
  #reserved = 0;
  readonly #waiting = new Set<Waiter>();
  /** Requests that were refused, also by callers that looked at `isFull` themselves. */
  refused = 0;

  constructor(readonly limits: Limits) {}

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get isFull(): boolean {
    return this.#waiting.size + this.#reserved >= this.limits.queue;
  }

  /**
   * For a caller that has other work to do before its `run`, such as a look-up. Without
   * reservations, all requests that come during the first look-up would be looked up too, only to
   * be refused afterwards: in a flood of logins that was a third of what refusals cost (ADR 15).
   * @throws AppError `overloaded`
   */
  reserve(): QueueReservation {
    this.assertRoom();
    this.#reserved++;
    return new QueueReservation(() => this.#reserved--);
  }

  /** @throws AppError `overloaded` */
  assertRoom(): void {
    if (!this.isFull) return;
    this.refused++;
    throw overloaded;
  }

  /** @throws AppError `overloaded` when the queue is full; the reason of an aborted signal */
  async run<T>(work: () => Promise<T>, { signal, reservation }: Wait = {}): Promise<T> {
    const isFree = this.#running < this.limits.concurrency && this.#waiting.size === 0;
    if (!isFree && !reservation) this.assertRoom();
    reservation?.[Symbol.dispose]();
    if (isFree) this.#running++;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      this.#startNext();
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
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

  /** The work that has waited longest takes over the turn of the one that has ended. */
  #startNext(): void {
    const [next] = this.#waiting;
    if (next) next.start();
    else this.#running--;
  }
}
