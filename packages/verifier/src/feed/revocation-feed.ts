import type { TokenFact } from '../revocations/index.js';
import { FeedClient, type FeedClientOptions } from './feed-client.js';
import { FeedFailure, toFailure } from './feed-failure.js';
import { FeedStream } from './feed-stream.js';
import { KnownRevocations } from './known-revocations.js';
import { backoffMs, Pause } from './pause.js';
import type { RevocationView } from './revocation-view.js';
import { steadyMs } from './steady-clock.js';

export type FeedOptions = FeedClientOptions & {
  /** The issuer's database has another history; everything was read again, and added. */
  readonly onReset?: () => void;
  /** Why the feed cannot be read, when it could before or the reason is another. */
  readonly onFailure?: (failure: FeedFailure) => void;
};

/** Until the issuer says. */
const usualHeartbeatMs = 1_000;
/** Age from which on it is asked although a stream is open, in heartbeats. */
const lateHeartbeats = 1.5;
/** Between two walks. */
const breathMs = 50;
/** After so many streams without a heartbeat while walks work, something holds them back. */
const vainStreams = 3;
const vainRetryMs = 30_000;
/** A key that was refused is tried again after this. */
const deniedRetryMs = 10_000;
/** Not longer than this, whatever a stream says. */
const limitRetryMs = 5_000;

const deniedWaitMs = (): number => deniedRetryMs * (0.5 + Math.random());

/** Reads the feed of revocations from now on, until it is closed. */
export const openFeed = (options: FeedOptions): RevocationView => new RevocationFeed(options);

/**
 * Two loops: one walks at first, and whenever what is known becomes old; the other keeps a stream
 * open. So polls keep us fresh while there is no stream, whatever the reason is.
 */
class RevocationFeed implements RevocationView {
  readonly #client: FeedClient;
  readonly #known = new KnownRevocations();
  readonly #closed = new AbortController();
  readonly #walkPause = new Pause();
  readonly #streamPause = new Pause();
  readonly #loops: Promise<unknown>;
  readonly #ready: Promise<void>;
  #becomeReady: () => void = () => undefined;
  #heartbeatMs = usualHeartbeatMs;
  #stream: FeedStream | undefined;
  #walkFailures = 0;
  /** The last walk had no answer. */
  #isAway = false;
  #streamFailures = 0;
  #streamNotBeforeMs = 0;
  #walks = 0;
  #vain = 0;
  #reported = '';

  constructor(private readonly options: FeedOptions) {
    this.#client = new FeedClient(options);
    this.#ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    this.#loops = Promise.all([this.#walkOn(), this.#streamOn()]);
  }

  get ageMs(): number {
    return this.#known.ageMs;
  }

  get entries(): number {
    return this.#known.entries;
  }

  get epoch(): string | undefined {
    return this.#known.epoch;
  }

  isRevoked(facts: readonly TokenFact[], now: number): boolean {
    return this.#known.isRevoked(facts, now);
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#stream?.end();
    this.#walkPause.close();
    this.#streamPause.close();
    this.#becomeReady();
    await this.#loops;
  }

  get #isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  async #walkOn(): Promise<void> {
    while (!this.#isClosed) {
      const waitMs = await this.#walk().then(
        () => breathMs,
        (error: unknown) => this.#waitAfterWalk(toFailure(error)),
      );
      const notBeforeMs = steadyMs() + waitMs;
      await this.#walkPause.until(() => Math.max(notBeforeMs, this.#walkDueMs()));
    }
  }

  /** When what is known is so old that a walk is needed, by our steady clock. */
  #walkDueMs(): number {
    if (this.#known.cursor === undefined) return 0;
    const heartbeats = this.#stream?.isLive ? lateHeartbeats : 1;
    return this.#known.knownMs + heartbeats * this.#heartbeatMs;
  }

  /** Everything without a cursor, otherwise what was committed since. */
  async #walk(): Promise<void> {
    const walk = this.#known.beginWalk();
    let page = await this.#client.readPage({ cursor: walk.cursor }, this.#closed.signal);
    const { epoch } = page;
    for (;;) {
      for (const item of page.items) this.#known.add(item);
      if (page.epoch !== epoch) throw new FeedFailure('reset', 'The history changed during a walk.');
      if (page.nextPage === undefined) break;
      page = await this.#client.readPage({ page: page.nextPage }, this.#closed.signal);
    }
    this.#heartbeatMs = page.heartbeatMs;
    if (this.#known.endWalk(walk, page)) this.#tell(this.options.onReset);
    this.#walks++;
    // a stream that waits for a cursor, or for what works again, need not wait longer
    if (this.#isAway || this.#streamNotBeforeMs === Number.POSITIVE_INFINITY) this.#allowStream();
    this.#isAway = false;
    // a history that changes again and again is read again and again, but not in a hurry
    if (walk.cursor !== undefined) this.#walkFailures = 0;
    this.#reported = '';
    this.#becomeReady();
  }

  #allowStream(): void {
    this.#streamNotBeforeMs = 0;
    this.#streamPause.wake();
  }

  async #streamOn(): Promise<void> {
    await this.#ready;
    while (!this.#isClosed) {
      const { cursor } = this.#known;
      const waitMs = cursor === undefined ? Number.POSITIVE_INFINITY : await this.#follow(cursor);
      this.#stream = undefined;
      this.#walkPause.wake();
      this.#streamNotBeforeMs = steadyMs() + waitMs;
      await this.#streamPause.until(() => this.#streamNotBeforeMs);
    }
  }

  /** @returns how long to wait before the next stream */
  async #follow(cursor: string): Promise<number> {
    const walks = this.#walks;
    const stream = new FeedStream(this.#client, this.#known, this.#heartbeatMs);
    this.#stream = stream;
    try {
      await stream.follow(cursor, () => this.#heard(stream));
      if (stream.hasLasted && this.#streamFailures++ === 0) return 0;
      return this.#waitAfterStream(new FeedFailure('unavailable', 'The stream has ended.'), stream, walks);
    } catch (error) {
      return this.#waitAfterStream(toFailure(error), stream, walks);
    }
  }

  #heard({ hasLasted }: FeedStream): void {
    if (hasLasted) this.#streamFailures = 0;
    this.#walkFailures = 0;
    this.#vain = 0;
    this.#reported = '';
  }

  #waitAfterWalk(failure: FeedFailure): number {
    this.#report(failure);
    if (failure.reason === 'reset') this.#known.restart();
    else this.#isAway = true;
    const waitMs = failure.reason === 'denied' ? deniedWaitMs() : backoffMs(this.#walkFailures);
    this.#walkFailures++;
    return Math.max(failure.retryAfterMs, waitMs);
  }

  #waitAfterStream(failure: FeedFailure, stream: FeedStream, walksBefore: number): number {
    this.#report(failure);
    if (failure.reason === 'reset') this.#known.restart();
    if (failure.reason === 'malformed') this.#known.lose();
    if (failure.reason === 'denied') return deniedWaitMs();
    this.#vain = stream.isLive || this.#walks === walksBefore ? this.#vain : this.#vain + 1;
    if (this.#vain >= vainStreams) return vainRetryMs * (0.5 + Math.random());
    const hintMs = stream.isLive ? Math.min(stream.retryMs ?? 0, limitRetryMs) * Math.random() : 0;
    return Math.max(failure.retryAfterMs, hintMs, backoffMs(this.#streamFailures++));
  }

  #report(failure: FeedFailure): void {
    if (this.#isClosed || failure.reason === 'reset' || failure.message === this.#reported) return;
    this.#reported = failure.message;
    this.#tell(() => this.options.onFailure?.(failure));
  }

  /** What a listener throws is the process's, and ends no loop. */
  #tell(listener: (() => void) | undefined): void {
    if (listener) queueMicrotask(listener);
  }
}
