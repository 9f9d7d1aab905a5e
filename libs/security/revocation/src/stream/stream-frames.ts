import { type FeedRow, toEntry } from '../feed/feed.reader.js';

/** A quarter of what a listener may leave unread, so that one batch resets nobody who reads. */
export const longestBatchBytes = 64 * 1024;
/** Of an event, beside its entry and its cursor. */
const frameBytes = 32;

/** Events for several entries, encoded once for all who get them. */
export class Batch {
  #bytes: Buffer | undefined;
  #bytesWithoutIds: Buffer | undefined;

  /** @param cursor from which the entries are told again */
  constructor(
    private readonly entries: readonly string[],
    private readonly cursor: string,
  ) {}

  get size(): number {
    return this.entries.length;
  }

  get bytes(): Buffer {
    return (this.#bytes ??= this.#encode(`event: revocation\nid: ${this.cursor}\n`));
  }

  /** For who must not come back with the cursor of the others yet. */
  get bytesWithoutIds(): Buffer {
    return (this.#bytesWithoutIds ??= this.#encode('event: revocation\n'));
  }

  #encode(head: string): Buffer {
    return Buffer.from(this.entries.map((entry) => `${head}data: ${entry}\n\n`).join(''));
  }
}

/** @param cursor as in `Batch` */
export function toBatches(rows: readonly FeedRow[], cursor: string): readonly Batch[] {
  const batches: string[][] = [];
  let room = 0;
  for (const row of rows) {
    const entry = JSON.stringify(toEntry(row));
    const bytes = Buffer.byteLength(entry) + frameBytes + cursor.length;
    if (bytes > room) {
      batches.push([]);
      room = longestBatchBytes;
    }
    room -= bytes;
    batches.at(-1)?.push(entry);
  }
  return batches.map((entries) => new Batch(entries, cursor));
}

type Heartbeat = { readonly cursor: string; readonly epoch: string; readonly sentMs: number };

export const heartbeatFrame = (heartbeat: Heartbeat): Buffer =>
  Buffer.from(`event: heartbeat\nid: ${heartbeat.cursor}\ndata: ${JSON.stringify(heartbeat)}\n\n`);

export const resetFrame = Buffer.from('event: reset\ndata: {}\n\n');

export const retryFrame = (afterMs: number): Buffer => Buffer.from(`retry: ${afterMs}\n\n`);
