import { isRevoked, RevocationTable, subjectIdOf, type TokenFact } from '../revocations/index.js';
import { FeedFailure } from './feed-failure.js';
import { type FeedPosition, readEntry } from './feed-messages.js';
import { steadyMs } from './steady-clock.js';

/** A walk in progress: what it goes on from, and when it was begun by our steady clock. */
export type Walk = { readonly cursor: string | undefined; readonly begunMs: number; readonly losses: number };

/**
 * What was heard, and up to when that is all. Entries are only ever added: an issuer that was
 * restored has forgotten revocations which we know (ADR 27).
 */
export class KnownRevocations {
  readonly #table = new RevocationTable();
  #knownMs = Number.NEGATIVE_INFINITY;
  #cursor: string | undefined;
  #epoch: string | undefined;
  #losses = 0;
  /** Unix seconds. Until then there is an entry of a kind that we do not know. */
  #unknownKindUntil = 0;

  get ageMs(): number {
    if (this.#unknownKindUntil > Date.now() / 1_000) return Number.POSITIVE_INFINITY;
    return Math.max(0, steadyMs() - this.#knownMs);
  }

  get entries(): number {
    return this.#table.size;
  }

  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** From where the feed is read on; absent when everything has to be read. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Up to when all is known, by our steady clock. */
  get knownMs(): number {
    return this.#knownMs;
  }

  isRevoked(facts: readonly TokenFact[], now: number): boolean {
    return isRevoked(this.#table, facts, now);
  }

  /**
   * Adds an entry of the feed. After one that cannot be read nothing counts as known, until
   * everything was read again.
   * @returns whether it could be read
   */
  add(value: unknown): boolean {
    const read = readEntry(value);
    if (!read) {
      this.lose();
      return false;
    }
    const { kind, subject, below, expiresAt } = read;
    const entry = { expiresAt, generation: below };
    if (kind) this.#table.add(kind, subjectIdOf(kind, subject), entry, Date.now() / 1_000);
    else this.#unknownKindUntil = Math.max(this.#unknownKindUntil, expiresAt);
    return true;
  }

  beginWalk(): Walk {
    return { cursor: this.#cursor, begunMs: steadyMs(), losses: this.#losses };
  }

  /**
   * After the last page was added.
   * @returns whether everything was read anew since the history of the issuer's database is another
   * @throws FeedFailure `reset`; `malformed` when something was lost meanwhile
   */
  endWalk(walk: Walk, { cursor, epoch }: FeedPosition): boolean {
    // it may be from before this walk
    if (walk.losses !== this.#losses) throw new FeedFailure('malformed', 'An entry was lost during the walk.');
    if (walk.cursor !== undefined) this.#assertEpoch(epoch);
    const isReset = this.#epoch !== undefined && this.#epoch !== epoch;
    this.#epoch = epoch;
    this.#cursor = cursor;
    this.#know(walk.begunMs);
    return isReset;
  }

  /**
   * A heartbeat: all that was committed up to then has been added.
   * @param knownMs by our steady clock
   * @throws FeedFailure `reset`
   */
  hearUpTo(knownMs: number, { cursor, epoch }: FeedPosition): void {
    this.#assertEpoch(epoch);
    this.#cursor = cursor;
    this.#know(knownMs);
  }

  /** Everything that was added up to now is told again from the cursor on, or is before it. */
  moveTo(cursor: string): void {
    if (this.#cursor !== undefined) this.#cursor = cursor;
  }

  /** What is known stays so, but goes on only after everything was read again. */
  restart(): void {
    this.#cursor = undefined;
    this.#losses++;
  }

  /** Something was told that we do not have. */
  lose(): void {
    this.restart();
    this.#knownMs = Number.NEGATIVE_INFINITY;
  }

  #assertEpoch(epoch: string): void {
    if (epoch === this.#epoch) return;
    throw new FeedFailure('reset', 'The history of the issuer is another.');
  }

  #know(knownMs: number): void {
    this.#knownMs = Math.max(this.#knownMs, knownMs);
  }
}
