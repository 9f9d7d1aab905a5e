import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { encodeCursor } from '../feed/feed-cursors.js';
import { type FeedMoment, FeedReader } from '../feed/feed.reader.js';
import { heartbeatMs } from '../feed/feed.schema.js';
import { RevocationView } from '../view/revocation-view.js';
import { heartbeatFrame, toBatches } from './stream-frames.js';
import type { ResetReason, StreamListener } from './stream-listener.js';

/** When it was asked for, by our monotonic clock: what was committed before, it shows. */
type Moment = FeedMoment & { readonly takenMs: number };

const retryMs = 250;
/** Between two reads for notices that come one after another. */
const breathMs = 10;
const pageRows = 500;
/** Written to in one turn of the event loop, so that requests get theirs. */
const listenersATurn = 100;
/**
 * Thousands of heartbeats are spread over some of their second, unless there is news: at once they
 * would hold up requests, and receivers on one machine.
 */
const spreadMs = 400;
const spreadRestMs = 8;
const roomWithinMs = 1_000;
const roomPollMs = 5;

/**
 * Tells all listeners of this replica what is committed, on whichever: what is sent is read from
 * the table. It keeps the snapshot of its last read and asks for what that one did not show, woken
 * by a notice, a commit of ours, or a second that has passed (ADR 27). Runs while there is a
 * listener.
 */
@Injectable()
export class StreamHub implements OnModuleInit {
  readonly #logger = new Logger('RevocationStream');
  readonly #listeners = new Set<StreamListener>();
  /** Of what was committed before it, all has been written to all listeners. */
  #base: Moment | undefined;
  #wake: (() => void) | undefined;
  #isNews = false;
  #beatAtMs = 0;
  #hasFailed = false;

  constructor(
    private readonly reader: FeedReader,
    private readonly view: RevocationView,
  ) {}

  onModuleInit(): void {
    this.view.onNews(() => this.#hear());
  }

  get listeners(): ReadonlySet<StreamListener> {
    return this.#listeners;
  }

  /** Seconds since what all listeners have been told was complete; 0 without any. */
  get lagSeconds(): number {
    return this.#base === undefined ? 0 : (performance.now() - this.#base.takenMs) / 1_000;
  }

  /** @throws when the database does not answer */
  async now(): Promise<Moment> {
    const takenMs = performance.now();
    return { ...(await this.reader.now()), takenMs };
  }

  /**
   * From here on the listener is told what commits; what is there by now it has to read itself.
   * @param now a moment from before
   */
  join(listener: StreamListener, now: Moment): void {
    this.#listeners.add(listener);
    if (this.#base) return;
    this.#base = now;
    void this.#run();
  }

  leave(listener: StreamListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#wake?.();
  }

  /** The first heartbeat of a listener that has read what was there when it joined. */
  greet(listener: StreamListener): void {
    listener.caughtUp();
    if (this.#base) this.#beat(listener, this.#base);
  }

  async resetAll(reason: ResetReason): Promise<void> {
    await this.#each((listener) => listener.reset(reason));
  }

  #hear(): void {
    this.#isNews = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    this.#beatAtMs = performance.now() + heartbeatMs;
    for (;;) {
      await this.#untilDue();
      // ends in the same turn: whoever joins later begins it anew
      if (this.#listeners.size === 0) break;
      this.#isNews = false;
      try {
        await this.#read();
        if (performance.now() >= this.#beatAtMs) await this.#beatAll();
        this.#hasFailed = false;
      } catch (error) {
        this.#failed(error);
        await sleep(retryMs);
      }
    }
    this.#base = undefined;
  }

  /** Waits for news, for the next heartbeat, or until the last listener has gone. */
  async #untilDue(): Promise<void> {
    await sleep(breathMs);
    const waitMs = this.#beatAtMs - performance.now();
    if (this.#isNews || waitMs <= 0 || this.#listeners.size === 0) return;
    const { promise: woken, resolve: wake } = Promise.withResolvers<void>();
    const timer = setTimeout(wake, waitMs);
    this.#wake = wake;
    await woken;
    clearTimeout(timer);
    this.#wake = undefined;
  }

  /** The next base is taken before its rows are read: what commits meanwhile is told twice. */
  async #read(): Promise<void> {
    const base = this.#base;
    const next = await this.now();
    if (!base) return;
    if (next.epoch !== base.epoch) await this.resetAll('epoch');
    else if (next.snapshot !== base.snapshot) await this.#tellUnseenBy(base);
    this.#base = next;
  }

  async #tellUnseenBy(base: Moment): Promise<void> {
    let afterId: string | undefined = '0';
    while (afterId !== undefined) {
      const rows = await this.reader.rowsUnseenBy(base.snapshot, afterId, pageRows);
      afterId = rows.length === pageRows ? rows.at(-1)?.id : undefined;
      for (const batch of toBatches(rows, encodeCursor(base))) {
        await this.#untilRoom();
        await this.#each((listener) => listener.tell(batch));
      }
    }
  }

  /**
   * A burst waits for those whose sockets are full, so that it resets nobody who reads; who has not
   * read in time is reset by what comes next, and holds nothing up again. A kernel says that there
   * is room when a third of what it keeps has been read, which is more than a megabyte.
   */
  async #untilRoom(): Promise<void> {
    await nextTurn();
    let full = [...this.#listeners];
    for (const untilMs = performance.now() + roomWithinMs; performance.now() < untilMs; await sleep(roomPollMs)) {
      full = full.filter((listener) => !listener.hasRoom);
      if (full.length === 0) return;
    }
  }

  async #beatAll(): Promise<void> {
    const base = this.#base;
    this.#beatAtMs = Math.max(this.#beatAtMs + heartbeatMs, performance.now());
    if (!base) return;
    const frame = heartbeatFrame(toHeartbeat(base, base.takenMs));
    const spreadUntilMs = performance.now() + spreadMs;
    const rest = (): Promise<void> =>
      this.#isNews || performance.now() > spreadUntilMs ? nextTurn() : sleep(spreadRestMs);
    await this.#each((listener) => {
      if (listener.knowsSinceMs > base.takenMs) this.#beat(listener, base);
      else if (listener.isCaughtUp) listener.write(frame);
    }, rest);
  }

  /** Not older than what it read itself: only differences of `sentMs` mean something. */
  #beat(listener: StreamListener, base: Moment): void {
    if (!listener.isCaughtUp) return;
    listener.write(heartbeatFrame(toHeartbeat(base, Math.max(base.takenMs, listener.knowsSinceMs))));
  }

  async #each(work: (listener: StreamListener) => void, rest: () => Promise<void> = nextTurn): Promise<void> {
    let count = 0;
    for (const listener of this.#listeners) {
      work(listener);
      if (++count % listenersATurn === 0) await rest();
    }
  }

  #failed(error: unknown): void {
    if (this.#hasFailed || this.#listeners.size === 0) return;
    this.#hasFailed = true;
    this.#logger.warn({ err: error, event: 'the feed cannot be read: its listeners get no heartbeat until it can' });
  }
}

const toHeartbeat = (moment: Moment, sinceMs: number): Parameters<typeof heartbeatFrame>[0] => ({
  cursor: encodeCursor(moment),
  epoch: moment.epoch,
  sentMs: Math.floor(sinceMs),
});
