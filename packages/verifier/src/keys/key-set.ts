import { type RequestBounds, requestJson } from '../bounded-request.js';
import type { Settings } from '../options.js';
import type { Algorithm } from './algorithms.js';
import { findJwkSetUrl } from './jwk-set-address.js';
import { findKey, type PublicKey, readJwkSet } from './jwk-set.js';

const limitBytes = 262_144;
const normalAgeSeconds = 300;
const leastAgeSeconds = 30;
const mostAgeSeconds = 3_600;
const firstRetryMs = 500;
const lastRetryMs = 30_000;
/** Requests for unknown ids in a row: rotations may follow each other, made-up ids be between. */
const unknownBurst = 3;

/**
 * The keys that the issuer publishes now. They are read at the start, again when their `max-age` is
 * over, and when a token names one that is not among them. When they cannot be read, those known
 * before stay.
 */
export class KeySet {
  #keys: ReadonlySet<PublicKey> = new Set();
  #lastFailure: unknown;
  #url: string | undefined;
  #reading: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  /** When all requests for unknown ids are paid for; each moves it by a cool-down. */
  #unknownPaidMs = Number.NEGATIVE_INFINITY;
  readonly #closed = new AbortController();
  readonly #bounds: RequestBounds;
  readonly #first: Promise<void>;
  #resolveFirst: () => void = () => undefined;

  constructor(private readonly settings: Settings) {
    const { fetch, requestTimeoutMs: timeoutMs } = settings;
    this.#bounds = { fetch, timeoutMs, limitBytes, signal: this.#closed.signal };
    this.#first = new Promise((resolve) => (this.#resolveFirst = resolve));
    void this.#read();
  }

  /** Ids of the keys that are trusted now. */
  get ids(): readonly string[] {
    return [...this.#keys].flatMap(({ kid }) => kid ?? []);
  }

  /** Resolves when the keys have been read once. */
  ready(): Promise<void> {
    return this.#first;
  }

  isTrusted(key: PublicKey): boolean {
    return this.#keys.has(key);
  }

  /**
   * The key that a token names; for one that is not known the issuer is asked, in the long run once
   * in `keyCooldownMs`, so that made-up ids cost it nothing.
   * @returns nothing when the issuer has no such key
   * @throws Error when the issuer could not be asked: that says nothing about the token
   */
  async find(kid: string | undefined, alg: Algorithm): Promise<PublicKey | undefined> {
    const find = (): PublicKey | undefined => findKey([...this.#keys], { kid, alg });
    // the one under way may have been answered before the key was published
    const found = find() ?? (await this.#reading?.then(find)) ?? (await this.#readForUnknown()?.then(find));
    if (found || this.#lastFailure === undefined) return found;
    throw new Error('The keys of the issuer could not be read.', { cause: this.#lastFailure });
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#timer);
  }

  #readForUnknown(): Promise<void> | undefined {
    if (this.#reading) return this.#reading;
    const { keyCooldownMs } = this.settings;
    const now = performance.now();
    const paidMs = Math.max(this.#unknownPaidMs, now) + keyCooldownMs;
    if (paidMs - now > unknownBurst * keyCooldownMs) return undefined;
    this.#unknownPaidMs = paidMs;
    return this.#read();
  }

  /** One at a time; never rejects. */
  #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    try {
      const nextMs = await this.#take();
      this.#lastFailure = undefined;
      this.#retryMs = firstRetryMs;
      this.#schedule(nextMs);
    } catch (error) {
      this.#lastFailure = error;
      // the issuer may have moved them
      this.#url = undefined;
      this.#schedule(this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
    }
  }

  /** @returns after how many milliseconds to read them again */
  async #take(): Promise<number> {
    this.#url ??= await findJwkSetUrl(this.settings, this.#bounds);
    const headers = { accept: 'application/jwk-set+json, application/json' };
    const answer = await requestJson(this.#url, { headers }, this.#bounds);
    if (answer.status !== 200) throw new Error(`${this.#url} answered ${answer.status}.`);
    const known = new Map([...this.#keys].map((key) => [key.text, key]));
    // a key that was there before stays the same object: tokens that it signed are remembered by it
    this.#keys = new Set(readJwkSet(answer.body).map((key) => known.get(key.text) ?? key));
    this.#resolveFirst();
    return maxAgeSeconds(answer.headers) * 1_000;
  }

  #schedule(inMs: number): void {
    clearTimeout(this.#timer);
    if (this.#closed.signal.aborted) return;
    // up to a tenth earlier, so that those started together do not ask together for ever
    this.#timer = setTimeout(() => void this.#read(), inMs * (1 - Math.random() / 10));
  }
}

function maxAgeSeconds(headers: Headers): number {
  const [, seconds] = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(headers.get('cache-control') ?? '') ?? [];
  const wanted = seconds === undefined ? normalAgeSeconds : Number(seconds);
  return Math.min(Math.max(wanted, leastAgeSeconds), mostAgeSeconds);
}
