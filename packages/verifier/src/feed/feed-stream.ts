import type { FeedClient } from './feed-client.js';
import { FeedFailure } from './feed-failure.js';
import { type FeedHeartbeat, readHeartbeat, readJson } from './feed-messages.js';
import { beginClock, followClock, knownMs, type StreamClock } from './freshness.js';
import type { KnownRevocations } from './known-revocations.js';
import { steadyMs } from './steady-clock.js';

/** Silence after which a stream is given up, in heartbeats: a lost one costs nothing. */
const silentHeartbeats = 2.5;
/** As long may entries come and no heartbeat after them, such as while much is caught up. */
const lateHeartbeats = 5;

/** One stream: what it tells is added, until it ends or is as good as dead. */
export class FeedStream {
  readonly #requestedMs = steadyMs();
  readonly #lost = new AbortController();
  #clock: StreamClock | undefined;
  #knownMs = this.#requestedMs;
  #heardMs = this.#requestedMs;
  #timer: NodeJS.Timeout | undefined;
  #retryMs: number | undefined;
  #heartbeats = 0;

  constructor(
    private readonly client: FeedClient,
    private readonly known: KnownRevocations,
    private readonly heartbeatMs: number,
  ) {}

  /** Whether a heartbeat has come. */
  get isLive(): boolean {
    return this.#heartbeats > 0;
  }

  /** One that ends before tells nothing of how the next one will do. */
  get hasLasted(): boolean {
    return this.#heartbeats > 1;
  }

  /** How long the issuer wants us to wait before the next stream. */
  get retryMs(): number | undefined {
    return this.#retryMs;
  }

  /**
   * @param onLive is called at each heartbeat
   * @returns when the stream has ended as it should
   * @throws FeedFailure, or what `fetch` throws
   */
  async follow(cursor: string, onLive: () => void): Promise<void> {
    this.#watch();
    const onRetry = (ms: number): void => {
      this.#retryMs = ms;
    };
    try {
      for await (const { type, data, id } of this.client.events(cursor, this.#lost.signal, onRetry)) {
        this.#heardMs = steadyMs();
        if (type === 'reset') return;
        if (type === 'revocation') this.#add(data, id);
        if (type !== 'heartbeat') continue;
        this.#hear(readHeartbeat(readJson(data)));
        onLive();
      }
    } finally {
      clearTimeout(this.#timer);
      this.end();
    }
  }

  end(): void {
    this.#lost.abort(new FeedFailure('unavailable', 'The stream was silent for too long.'));
  }

  #add(data: string, id: string): void {
    if (!this.known.add(readJson(data))) throw new FeedFailure('malformed', 'The stream has no good entry.');
    if (id !== '') this.known.moveTo(id);
  }

  #hear(heartbeat: FeedHeartbeat): void {
    const times = { sentMs: heartbeat.sentMs, receivedMs: this.#heardMs };
    this.#clock = this.#clock ? followClock(this.#clock, times) : beginClock(this.#requestedMs, times);
    this.#knownMs = knownMs(this.#clock);
    this.known.hearUpTo(this.#knownMs, heartbeat);
    this.#heartbeats++;
  }

  #watch(): void {
    const now = steadyMs();
    const silentMs = Math.min(now - this.#heardMs, now - this.#knownMs);
    const untilSilentMs = silentHeartbeats * this.heartbeatMs - silentMs;
    const untilLateMs = lateHeartbeats * this.heartbeatMs - (now - this.#knownMs);
    const untilMs = Math.min(untilSilentMs, untilLateMs);
    if (untilMs <= 0) this.end();
    else this.#timer = setTimeout(() => this.#watch(), untilMs + 1);
  }
}
