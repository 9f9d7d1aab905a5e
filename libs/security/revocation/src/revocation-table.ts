import { everyGeneration, type RevocationKind } from './revocation.js';

const kindSalt: Readonly<Record<RevocationKind, number>> = {
  token: 0x9e3779b9,
  session: 0x7f4a7c15,
  user: 0x85ebca6b,
  key: 0xc2b2ae35,
};
const initialSlots = 1024;
const maxLoad = 0.6;
/** After a rebuild at least a quarter of the usable slots is free. */
const roomAfterGrowth = 0.75;
const packedBytes = 21;
const kinds: readonly RevocationKind[] = ['token', 'session', 'user', 'key'];

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

  add(kind: RevocationKind, subject: string, { expiresAt, generation = everyGeneration }: Entry, now: number): void {
    this.#makeRoom(now);
    this.#put(...fingerprint(kind, subject), expiresAt, generation);
  }

  /** Entries of 21 bytes: kind, last 64 bits of id, generation, expiry as 64-bit Unix seconds. */
  addPacked(entries: Uint8Array, now: number): void {
    const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
    for (let at = 0; at < entries.byteLength; at += packedBytes) {
      this.#makeRoom(now);
      const high = (view.getUint32(at + 1) ^ kindSalt[kinds[view.getUint8(at)] ?? 'token']) >>> 0;
      // the upper half of the seconds is zero until the year 2106
      this.#put(high, view.getUint32(at + 5) || 1, view.getUint32(at + 17), view.getInt32(at + 9));
    }
  }

  /** Tokens of a generation below this one are ended; 0 without an entry. `now` in Unix seconds. */
  endedBelow(kind: RevocationKind, subject: string, now: number): number {
    const slot = this.#find(...fingerprint(kind, subject));
    return (this.#expiresAt[slot] ?? 0) > now ? (this.#generation[slot] ?? 0) : 0;
  }

  #put(high: number, low: number, expiresAt: number, generation: number): void {
    const slot = this.#find(high, low);
    if (this.#low[slot] === 0) this.#used++;
    this.#high[slot] = high;
    this.#low[slot] = low;
    // entries come in any order and more than once: what ends more wins
    this.#expiresAt[slot] = Math.max(this.#expiresAt[slot] ?? 0, expiresAt);
    this.#generation[slot] = Math.max(this.#generation[slot] ?? 0, generation);
  }

  /** The slot of an id, or the free one where it belongs. */
  #find(high: number, low: number): number {
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
      this.#put(old.high[slot] ?? 0, old.low[slot] ?? 0, expiresAt, old.generation[slot] ?? 0);
    }
  }
}

type Entry = { readonly expiresAt: number; readonly generation?: number | undefined };

/** The last 64 bits of a UUID, salted by kind. The low half is never 0, which marks a free slot. */
function fingerprint(kind: RevocationKind, subject: string): [high: number, low: number] {
  const high = Number.parseInt(subject.slice(19, 23) + subject.slice(24, 28), 16);
  const low = Number.parseInt(subject.slice(28, 36), 16);
  return [(high ^ kindSalt[kind]) >>> 0, low >>> 0 || 1];
}
