import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { checkText, type ParsedToken, readToken } from './access-token.js';
import { readBearer } from './bearer.js';
import type { Claims } from './claims.js';
import { openFeed } from './feed/revocation-feed.js';
import type { RevocationView } from './feed/revocation-view.js';
import { checkDates, checkRequirements } from './judgement.js';
import type { Algorithm } from './keys/algorithms.js';
import type { PublicKey } from './keys/jwk-set.js';
import { KeySet } from './keys/key-set.js';
import { parseOptions, type Settings, type Staleness, type VerifierOptions } from './options.js';
import type { ProtectedResourceMetadata } from './protected-resource.js';
import { Introspection } from './staleness/introspection.js';
import { StalenessWatch } from './staleness/staleness-watch.js';
import { TokenCache } from './token-cache.js';
import { VerifyError } from './verify-error.js';
import { type ParsedVerifyOptions, parseVerifyOptions, type VerifyOptions } from './verify-options.js';

/** A token that is good now. */
export type Verified = {
  readonly claims: Claims;
  /** Whether it was accepted by old knowledge of revocations, as `allow` says. */
  readonly isStale: boolean;
};

/** What the verifier knows now. */
export type VerifierView = {
  /** Age of what is known of revocations; Infinity before the first walk. Absent without feed. */
  readonly ageMs: number | undefined;
  /** Revocations in memory. */
  readonly entries: number;
  /** History of the issuer's database that they are from. */
  readonly epoch: string | undefined;
  /** Ids of the keys that are trusted. */
  readonly keys: readonly string[];
};

export type VerifierEvents = {
  /** What is known of revocations has become too old, or is no longer. */
  stale: [];
  fresh: [];
  /** The issuer's database has another history; everything was read again, and added. */
  reset: [];
  /** The feed cannot be read, with the reason; told once for each. It is tried for ever. */
  'feed-failure': [reason: string];
  /** Gatehouse will not introspect for this service, with the reason: until then as `refuse`. */
  'introspection-denied': [reason: string];
};

const none: VerifyOptions = {};

/** @throws TypeError that says which option is wrong */
export const createVerifier = (options: VerifierOptions): Verifier => new Verifier(parseOptions(options));

/** Checks access tokens without a call to the issuer; `createVerifier` makes it. */
export class Verifier {
  readonly #keys: KeySet;
  readonly #cache: TokenCache;
  readonly #revocations: RevocationView | undefined;
  readonly #introspection: Introspection;
  readonly #watch: StalenessWatch | undefined;
  readonly #events = new EventEmitter<VerifierEvents>();
  readonly #options = new WeakMap<VerifyOptions, ParsedVerifyOptions>();
  #isClosed = false;

  constructor(private readonly settings: Settings) {
    const { staleness, cachedTokens } = settings;
    const revocations = settings.revocations ?? this.#openFeed();
    this.#keys = new KeySet(settings);
    this.#cache = new TokenCache(cachedTokens);
    this.#introspection = new Introspection(settings, (reason) => this.#events.emit('introspection-denied', reason));
    this.#revocations = revocations;
    if (!revocations) return;
    this.#watch = new StalenessWatch(
      () => revocations.ageMs,
      staleness.afterMs,
      (change) => this.#events.emit(change),
    );
  }

  /**
   * Resolves when the keys and the revocations are known, or after `readyTimeoutMs`: then the
   * staleness policy applies until they are. Never rejects.
   */
  async ready(): Promise<void> {
    const ended = new AbortController();
    const known = Promise.all([this.#keys.ready(), this.#revocations?.ready()]);
    const timeout = sleep(this.settings.readyTimeoutMs, undefined, { signal: ended.signal });
    await Promise.race([known, timeout]).finally(() => ended.abort());
  }

  /**
   * Checks a token: its signature once, whether it is good at each call.
   * @throws VerifyError when it is not good here and now; nothing else, whatever its bytes are
   */
  async verify(token: string, options: VerifyOptions = none): Promise<Verified> {
    // hot path: a token that was seen before costs a digest and a look-up for each thing it names
    if (this.#isClosed) throw new VerifyError('closed');
    const asked = this.#parsed(options);
    checkText(token, this.settings);
    const name = TokenCache.nameOf(token);
    const parsed = this.#recall(name) ?? (await this.#read(token, name));
    const now = Date.now() / 1000;
    this.#checkKnown(parsed, name, now);
    checkRequirements(parsed, asked, this.settings, now);
    const { claims } = parsed;
    if (!this.#revocations) return { claims, isStale: false };
    this.#watch?.check();
    if (this.#revocations.ageMs <= asked.staleness.afterMs) return { claims, isStale: false };
    return { claims, isStale: await this.#judgeStale(token, name, asked.staleness) };
  }

  /**
   * As `verify`, with the value of the header `Authorization`.
   * @throws VerifyError also `missing-token`
   */
  async verifyAuthorization(header: string | undefined, options: VerifyOptions = none): Promise<Verified> {
    const token = readBearer(header);
    if (token !== undefined) return this.verify(token, options);
    const { resourceMetadataUrl } = this.settings;
    throw new VerifyError('missing-token', { resourceMetadataUrl });
  }

  /** @throws TypeError for options that `verify` would not take */
  checkOptions(options: VerifyOptions): void {
    this.#parsed(options);
  }

  /** The document to serve (RFC 9728), and where; nothing unless `protectedResource` was given. */
  get protectedResource(): { readonly url: string; readonly document: ProtectedResourceMetadata } | undefined {
    const { protectedResource: document, resourceMetadataUrl: url } = this.settings;
    return document && url !== undefined ? { url, document } : undefined;
  }

  view(): VerifierView {
    const { ageMs, entries = 0, epoch } = this.#revocations ?? {};
    return { ageMs, entries, epoch, keys: this.#keys.ids };
  }

  on<Name extends keyof VerifierEvents>(name: Name, listener: (...details: VerifierEvents[Name]) => void): this {
    this.#events.on<keyof VerifierEvents>(name, listener);
    return this;
  }

  off<Name extends keyof VerifierEvents>(name: Name, listener: (...details: VerifierEvents[Name]) => void): this {
    this.#events.off<keyof VerifierEvents>(name, listener);
    return this;
  }

  /** Ends requests, connections and timers: nothing keeps the process alive. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#keys.close();
    this.#introspection.close();
    this.#watch?.close();
    this.#events.removeAllListeners();
    if (this.#revocations !== this.settings.revocations) await this.#revocations?.close();
  }

  #openFeed(): RevocationView | undefined {
    const { url, serviceKey, fetch, requestTimeoutMs } = this.settings;
    if (serviceKey === undefined) return undefined;
    return openFeed({
      url,
      serviceKey,
      fetch,
      requestTimeoutMs,
      onReset: () => this.#events.emit('reset'),
      onFailure: ({ message }) => this.#events.emit('feed-failure', message),
    });
  }

  /** The options of a route are the same object at each call. */
  #parsed(options: VerifyOptions): ParsedVerifyOptions {
    const known = this.#options.get(options);
    if (known) return known;
    const parsed = parseVerifyOptions(options, this.settings.staleness);
    this.#options.set(options, parsed);
    return parsed;
  }

  /** A token that was read before, if the key that signed it is still trusted. */
  #recall(name: string): ParsedToken | undefined {
    const parsed = this.#cache.get(name);
    if (!parsed || this.#keys.isTrusted(parsed.key)) return parsed;
    this.#cache.delete(name);
    return undefined;
  }

  async #read(token: string, name: string): Promise<ParsedToken> {
    const parsed = await readToken(token, this.settings, (header) => this.#findKey(header));
    this.#cache.set(name, parsed);
    return parsed;
  }

  async #findKey({ kid, alg }: { kid: string | undefined; alg: Algorithm }): Promise<PublicKey> {
    const { resourceMetadataUrl } = this.settings;
    const key = await this.#keys.find(kid, alg).catch((cause: unknown) => {
      throw new VerifyError('keys-unavailable', { cause });
    });
    if (key) return key;
    throw new VerifyError('unknown-key', { detail: `kid is ${kid ?? 'absent'}.`, resourceMetadataUrl });
  }

  /** What is known ends a token however old the knowledge is. */
  #checkKnown(parsed: ParsedToken, name: string, now: number): void {
    try {
      checkDates(parsed, this.settings, now);
    } catch (error) {
      this.#cache.delete(name);
      throw error;
    }
    if (!this.#revocations?.isRevoked(parsed.facts, now)) return;
    const { resourceMetadataUrl } = this.settings;
    throw new VerifyError('revoked', { resourceMetadataUrl });
  }

  /** @returns whether the token is accepted by old knowledge */
  async #judgeStale(token: string, name: string, { then }: Required<Staleness>): Promise<boolean> {
    if (then === 'allow') return true;
    const answer = then === 'introspect' ? await this.#introspection.ask(token, name) : 'unknown';
    if (answer === 'active') return false;
    const { resourceMetadataUrl } = this.settings;
    if (answer === 'inactive') throw new VerifyError('revoked', { resourceMetadataUrl });
    throw new VerifyError('stale');
  }
}
