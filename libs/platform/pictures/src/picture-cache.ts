type Entry = { readonly bytes: Buffer; readonly loadedAtMs: number };

/** What an entry costs beside its bytes: key, object, place in the map. */
const entryBytes = 300;

/** The pictures that were asked for last, bounded by bytes. What is older than `maxAgeMs` is asked for again. */
export class PictureCache {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(private readonly limits: { readonly bytes: number; readonly maxAgeMs: number }) {}

  get(key: string, nowMs: number): Buffer | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    // to the end of the map, so that the first entry is the one not asked for the longest
    this.#entries.delete(key);
    if (nowMs - entry.loadedAtMs < this.limits.maxAgeMs) {
      this.#entries.set(key, entry);
      return entry.bytes;
    }
    this.#bytes -= costOf(entry.bytes);
    return undefined;
  }

  set(key: string, bytes: Buffer, nowMs: number): void {
    if (costOf(bytes) > this.limits.bytes) return;
    this.delete(key);
    this.#entries.set(key, { bytes, loadedAtMs: nowMs });
    this.#bytes += costOf(bytes);
    for (const [oldest] of this.#entries) {
      if (this.#bytes <= this.limits.bytes) return;
      this.delete(oldest);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= costOf(entry.bytes);
  }
}

const costOf = (bytes: Buffer): number => bytes.length + entryBytes;
