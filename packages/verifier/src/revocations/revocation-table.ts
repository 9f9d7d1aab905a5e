import { everyGeneration, type RevocationKind } from './revocation.js';
import { type Fingerprint, fingerprintOf, type TokenFact } from './token-fact.js';

const initialSlots = 1024;
const maxLoad = 0.6;
/** After a rebuild at least a quarter of the usable slots is free. */
const roomAfterGrowth = 0.75;

/**
 * Live entries in 16 bytes a slot: open addressing over 64 bits of the id, against 86 bytes in a
 * `Map` of UUIDs (design §4). The bits are the random ones at the end of a UUID. Two ids that
 * share them are taken for one, which refuses a good token at odds of n/2^62: it fails closed.
 */
export class RevocationTable {
  #high = new Uint32Array(initialSlots);
  #low = new Uint32Array(initialSlots);
  #expiresAt = new Uint32Array(initialSlots);
  #generation = new Uint32Array(initialSlots);
  #used = 0;

  /** Slots in use, expired ones included until the next growth. */
  get size(): number {
    return this.#used;
  }

  /** @param subjectId as `subjectIdOf` gives it */
  add(kind: RevocationKind, subjectId: string, entry: Entry, now: number): void {
    this.put(fingerprintOf(kind, subjectId), entry, now);
  }

  /** As `add`. `now` and `expiresAt` are Unix seconds. */
  put(fingerprint: Fingerprint, { expiresAt, generation = everyGeneration }: Entry, now: number): void {
    this.#makeRoom(now);
    this.#put(fingerprint, expiresAt, generation);
  }

  /** Tokens of a generation below this one are ended; 0 without an entry. `now` in Unix seconds. */
  endedBelow(fingerprint: Fingerprint, now: number): number {
    const slot = this.#find(fingerprint);
    return (this.#expiresAt[slot] ?? 0) > now ? (this.#generation[slot] ?? 0) : 0;
  }

  #put(subject: Fingerprint, expiresAt: number, generation: number): void {
    const slot = this.#find(subject);
    if (this.#low[slot] === 0) this.#used++;
    this.#high[slot] = subject.high;
    this.#low[slot] = subject.low;
    // entries come in any order and more than once: what ends more wins
    this.#expiresAt[slot] = Math.max(this.#expiresAt[slot] ?? 0, expiresAt);
    this.#generation[slot] = Math.max(this.#generation[slot] ?? 0, generation);
  }

  /** The slot of an id, or the free one where it belongs. */
  #find({ high, low }: Fingerprint): number {
    const mask = this.#high.length - 1;
    let slot = (low ^ (high >>> 7)) & mask;
    while (this.#low[slot] !== 0 && (this.#low[slot] !== low || this.#high[slot] !== high)) slot = (slot + 1) & mask;
    return slot;
  }

  #makeRoom(now: number): void {
    if (this.#used >= this.#high.length * maxLoad) this.#rebuild(now);
  }

  /** Leaves expired entries behind; grows only if the live ones need it. */
  #rebuild(now: number): void {
    const old = { high: this.#high, low: this.#low, expiresAt: this.#expiresAt, generation: this.#generation };
    const live = old.expiresAt.reduce((count, expiresAt) => count + (expiresAt > now ? 1 : 0), 0);
    let slots = initialSlots;
    while (live >= slots * maxLoad * roomAfterGrowth) slots *= 2;
    this.#high = new Uint32Array(slots);
    this.#low = new Uint32Array(slots);
    this.#expiresAt = new Uint32Array(slots);
    this.#generation = new Uint32Array(slots);
    this.#used = 0;
    for (let slot = 0; slot < old.low.length; slot++) {
      const expiresAt = old.expiresAt[slot] ?? 0;
      if (expiresAt <= now) continue;
      const subject = { high: old.high[slot] ?? 0, low: old.low[slot] ?? 0 };
      this.#put(subject, expiresAt, old.generation[slot] ?? 0);
    }
  }
}

/** Whether the table holds an end of one of the facts. `now` in Unix seconds. */
export function isRevoked(table: RevocationTable, facts: readonly TokenFact[], now: number): boolean {
  // hot path: no closure for each request
  for (const { fingerprint, generation } of facts) {
    if (table.endedBelow(fingerprint, now) > generation) return true;
  }
  return false;
}

type Entry = { readonly expiresAt: number; readonly generation?: number | undefined };
