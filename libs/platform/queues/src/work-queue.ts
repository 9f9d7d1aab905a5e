import { AppError } from '#libs/platform/errors';

import { type MachineSlots, type Slot, uncounted } from './machine-slots.js';
import { Place } from './place.js';
import { WorkClock } from './work-clock.js';

/** Made once: under a flood the trace of a refusal would cost more than the refusal. */
export const overloaded = new AppError('overloaded', { headers: { 'retry-after': '2' } });

type Waiter = { readonly start: (slot: Slot) => void; readonly giveUp: (reason: unknown) => void };

type Limits = {
  readonly concurrency: number;
  readonly queue: number;
  /** Shared with the other processes of this machine, beside `concurrency` of this one. */
  readonly slots?: MachineSlots | undefined;
};

/** How a piece of work waits: until its signal aborts; in a place of its own, or wherever there is room. */
export type Wait = { readonly signal?: AbortSignal | undefined; readonly place?: Place | undefined };

/** How often a process that finds all slots of the machine taken looks again. */
const pollMs = 4;

/**
 * Lets so many run at a time and so many wait, in order. Who finds the queue full is told at once to come back later,
 * and who leaves while waiting is dropped without costing anything.
 */
export class WorkQueue {
  #running = 0;
  /** How many were told to come back later, here or by whoever saw `isFull` first. */
  refused = 0;
  #places = 0;
  #poll: NodeJS.Timeout | undefined;
  readonly #waiting = new Set<Waiter>();
  readonly #clock = new WorkClock();

  constructor(private readonly limits: Limits) {}

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get isFull(): boolean {
    return this.#waiting.size + this.#places >= this.limits.queue;
  }

  /** While as many run as may, none will end for so many milliseconds: nobody who waits can start before. */
  noneEndsForMs(): number {
    return this.#running < this.limits.concurrency ? 0 : this.#clock.sureMs();
  }

  /**
   * For whoever does other work first: what would be refused after it is refused now, and nobody is after it. Without a
   * place, all that came while the first one looked something up would do that work too, for nothing: in a flood of
   * logins those were a third of what refusals cost (ADR 15).
   * @throws AppError `overloaded`
   */
  keepPlace(): Place {
    this.assertRoom();
    this.#places++;
    return new Place(() => this.#places--);
  }

  /** @throws AppError `overloaded` */
  assertRoom(): void {
    if (!this.isFull) return;
    this.refused++;
    throw overloaded;
  }

  /** @throws AppError `overloaded` when the queue is full; the signal's reason when it aborts while waiting */
  async run<T>(work: () => Promise<T>, { signal, place }: Wait = {}): Promise<T> {
    const free = this.#waiting.size === 0 ? this.#take() : undefined;
    if (!free && !place) this.assertRoom();
    place?.[Symbol.dispose]();
    const slot = free ?? (await this.#wait(signal));
    try {
      return await this.#clock.time(work);
    } finally {
      this.#passOn(slot);
    }
  }

  #take(): Slot | undefined {
    if (this.#running >= this.limits.concurrency) return undefined;
    const slot = this.limits.slots ? this.limits.slots.tryTake() : uncounted;
    if (slot) this.#running++;
    return slot;
  }

  #wait(signal: AbortSignal | undefined): Promise<Slot> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (): void => waiter.giveUp(signal?.reason);
      const settle = (): void => {
        signal?.removeEventListener('abort', leave);
        this.#waiting.delete(waiter);
      };
      const waiter: Waiter = {
        start: (slot) => {
          settle();
          resolve(slot);
        },
        giveUp: (reason) => {
          settle();
          reject(reason instanceof Error ? reason : new Error('aborted'));
        },
      };
      this.#waiting.add(waiter);
      signal?.addEventListener('abort', leave, { once: true });
      this.#lookAgain();
    });
  }

  /** A slot that comes free goes to the one who has waited longest, unless another process has a turn coming. */
  #passOn(slot: Slot): void {
    const [next] = this.#waiting;
    if (next && this.limits.slots?.isWanted !== true) {
      slot.keep();
      next.start(slot);
      return;
    }
    slot.release();
    this.#running--;
    this.#lookAgain();
  }

  /** While some wait and this process may run more, the slots of the machine are what is missing. */
  #lookAgain(): void {
    if (this.#poll || this.#running >= this.limits.concurrency) return;
    if (this.#waiting.size === 0) {
      this.limits.slots?.forgetWish();
      return;
    }
    this.#poll = setTimeout(() => {
      this.#poll = undefined;
      for (const next of this.#waiting) {
        const slot = this.#take();
        if (!slot) break;
        next.start(slot);
      }
      this.#lookAgain();
    }, pollMs);
  }
}
