import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Batch, longestBatchBytes, resetFrame } from './stream-frames.js';

/** Why a stream is ended by us. */
export const resetReasons = ['access', 'database', 'draining', 'epoch', 'slow'] as const;
export type ResetReason = (typeof resetReasons)[number];

/** What was done for all listeners together. */
export type StreamCounts = { entries: number; readonly resets: Map<ResetReason, number> };

const unreadLimitBytes = 256 * 1024;
/** Whoever is reset has this long to read that; then the connection is cut. */
const partingMs = 3_000;
const drainPollMs = 10;

/** One who has an open stream. Nothing that is written to it ever waits for it. */
export class StreamListener {
  /** What was committed before has been written: by our monotonic clock. */
  knowsSinceMs = Math.ceil(performance.now());
  #isCaughtUp = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly counts: StreamCounts,
  ) {}

  get isOpen(): boolean {
    return !this.response.writableEnded && !this.response.destroyed;
  }

  /** Whether all that was there when it came has been written. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Whether a whole batch can be written without a reset. */
  get hasRoom(): boolean {
    return !this.isOpen || this.response.writableLength + longestBatchBytes <= unreadLimitBytes;
  }

  /** Until it is called, no id goes out: whoever came back with it would miss the rest. */
  caughtUp(): void {
    this.#isCaughtUp = true;
  }

  tell(batch: Batch): void {
    this.write(this.#isCaughtUp ? batch.bytes : batch.bytesWithoutIds);
    this.counts.entries += batch.size;
  }

  write(bytes: Buffer): void {
    if (!this.isOpen) return;
    if (this.response.writableLength + bytes.length > unreadLimitBytes) this.reset('slow');
    else this.response.write(bytes);
  }

  /** Waits until all has been read, or its stream is over. @returns whether it was in time */
  async readAll(withinMs: number): Promise<boolean> {
    // the socket takes what it can within this turn of the event loop
    await sleep(0);
    for (const untilMs = performance.now() + withinMs; this.isOpen && this.response.writableLength > 0;) {
      if (performance.now() > untilMs) return false;
      await sleep(drainPollMs);
    }
    return true;
  }

  reset(reason: ResetReason): void {
    if (!this.isOpen) return;
    this.counts.resets.set(reason, (this.counts.resets.get(reason) ?? 0) + 1);
    this.response.end(resetFrame);
    const cut = setTimeout(() => this.response.destroy(), partingMs);
    this.response.once('close', () => clearTimeout(cut));
  }
}
