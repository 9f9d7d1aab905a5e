type Entry = { readonly bytes: Buffer; readonly loadedAtMs: number };

/** What an entry costs beside its bytes: key, object, slot in the map. */
const entryBytes = 300;

/** Least-recently-used cache of pictures, bounded by bytes; entries expire after `maxAgeMs`. */
export class PictureCache {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(private readonly limits: { readonly bytes: number; readonly maxAgeMs: number }) {}

  get(key: string, nowMs: number): Buffer | undefined {
    const entry = this.delete(key);
    if (!entry || nowMs - entry.loadedAtMs >= this.limits.maxAgeMs) return undefined;
    // back at the end of the map, so that the first entry is the least recently used
    this.#add(key, entry);
    return entry.bytes;
  }

  set(key: string, bytes: Buffer, nowMs: number): void {
    if (costOf(bytes) > this.limits.bytes) return;
    this.delete(key);
    this.#add(key, { bytes, loadedAtMs: nowMs });
    for (const [oldest] of this.#entries) {
      if (this.#bytes <= this.limits.bytes) return;
      this.delete(oldest);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  delete(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry) this.#bytes -= costOf(entry.bytes);
    this.#entries.delete(key);
    return entry;
  }

  #add(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#bytes += costOf(entry.bytes);
  }
}

const costOf = (bytes: Buffer): number => bytes.length + entryBytes;
