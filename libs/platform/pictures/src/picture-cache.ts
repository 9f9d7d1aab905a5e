type Entry = { readonly bytes: Buffer; readonly loadedAtMs: number };

/** What an entry costs beside its bytes: key, object, slot in the map. */
const entryBytes = 300;

/** Least-recently-used cache of pictures, bounded by bytes; entries expire after `maxAgeMs`. */
export class PictureCache {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(private readonly limits: { readonly bytes: number; readonly maxAgeMs: number }) {}

  get(key: string, nowMs: number): Buffer | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    // moved to the end of the map, so that the first entry is the least recently used
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
