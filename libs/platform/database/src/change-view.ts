import { setTimeout as sleep } from 'node:timers/promises';

import { Logger } from '@nestjs/common';

const staleAfterMs = 250;
/**
 * Ready bears more than `isFresh` does: a view that is late by less is bridged by asking the
 * database, and a loop that is busy for a moment must not take every replica out of the balancer at
 * once.
 */
const readyWithinMs = 2_000;
const firstPauseMs = 100;
const longestPauseMs = 1_000;

export type Subscriber = {
  /**
   * Takes in a change that its notice tells in full; on every replica, in the order of commits.
   * Without it, or when it throws, `catchUp` reads what has changed.
   */
  readonly onChange?: (payload: string) => void;
  /**
   * Reads whatever may have been missed; again until it succeeds. Called after every (re)connection
   * too.
   */
  readonly catchUp: () => Promise<void>;
};

/**
 * What one subscriber knows, and how old that is. A change that was heard and could not be read
 * makes the view stale: it is read again until it could.
 */
export class ChangeView {
  readonly #logger = new Logger('ReplicaNotifications');
  #heard = 0;
  #read = 0;
  #unreadSince: number | undefined;
  #hasFailed = false;
  #reading: Promise<void> | undefined;

  /** @param feedStaleMs how old what the feed itself has told is */
  constructor(
    private readonly topic: string,
    private readonly subscriber: Subscriber,
    private readonly feedStaleMs: () => number,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Whether everything that was heard, or was committed more than 250 ms ago, is in the view.
   * Otherwise ask the database.
   */
  get isFresh(): boolean {
    return this.#unreadSince === undefined && this.feedStaleMs() < staleAfterMs;
  }

  /** Whether the view is young enough to serve. */
  get isReady(): boolean {
    return this.staleMs < readyWithinMs;
  }

  get staleMs(): number {
    const unreadMs = this.#unreadSince === undefined ? 0 : performance.now() - this.#unreadSince;
    return Math.max(this.feedStaleMs(), unreadMs);
  }

  hear(payload: string): void {
    try {
      if (this.subscriber.onChange) {
        this.subscriber.onChange(payload);
        return;
      }
    } catch (error) {
      // a newer release may say what this one does not understand; it is in the database all the
      // same
      this.#logger.debug({ err: error, topic: this.topic, event: 'a notice was not understood' });
    }
    this.#heard++;
    this.#unreadSince ??= performance.now();
    this.#reading ??= this.#readUntilDone().finally(() => {
      this.#reading = undefined;
    });
  }

  async catchUp(): Promise<void> {
    const upTo = this.#heard;
    await this.subscriber.catchUp();
    this.#read = Math.max(this.#read, upTo);
  }

  /** When nothing is being read any more, for the end of the process. */
  async idle(): Promise<void> {
    await this.#reading;
  }

  async #readUntilDone(): Promise<void> {
    for (let pauseMs = firstPauseMs; this.#read < this.#heard && !this.signal.aborted;) {
      const startedAt = performance.now();
      try {
        await this.catchUp();
        this.#succeeded();
        this.#unreadSince = startedAt;
        pauseMs = firstPauseMs;
      } catch (error) {
        this.#failed(error);
        await sleep(pauseMs, undefined, { signal: this.signal }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    }
    this.#succeeded();
    this.#unreadSince = undefined;
  }

  #failed(error: unknown): void {
    if (this.#hasFailed || this.signal.aborted) return;
    this.#hasFailed = true;
    this.#logger.warn({
      err: error,
      topic: this.topic,
      event: 'a change was heard and cannot be read; the database is asked for each request until it can',
    });
  }

  #succeeded(): void {
    if (!this.#hasFailed) return;
    this.#hasFailed = false;
    this.#logger.log({ topic: this.topic, event: 'what had changed is read again' });
  }
}
