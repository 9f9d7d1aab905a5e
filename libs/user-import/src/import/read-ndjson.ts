import { isUtf8 } from 'node:buffer';

import { type Bytes, maxRowBytes, type SourceRow } from './prepare-row.js';

const lineFeed = 0x0a;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Reads a JSON text a line; `row` is the number of the line. A line that is too long is refused
 * without being held in memory.
 */
export async function* readNdjson(bytes: Bytes): AsyncGenerator<readonly SourceRow[]> {
  const lines = new Lines();
  for await (const chunk of bytes) yield lines.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  yield lines.end();
}

/** Cuts chunks into lines. It holds one unfinished line, up to `maxRowBytes` of it. */
class Lines {
  #row = 0;
  #kept: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): readonly SourceRow[] {
    const rows: SourceRow[] = [];
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, from)) {
      this.#keep(chunk.subarray(from, end));
      rows.push(...this.#finish());
      from = end + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
    return rows;
  }

  end(): readonly SourceRow[] {
    return this.#finish();
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    if (this.#length <= maxRowBytes) this.#kept.push(part);
  }

  #finish(): readonly SourceRow[] {
    const row = ++this.#row;
    const length = this.#length;
    const line = this.#kept.length === 1 ? (this.#kept[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#kept);
    this.#kept = [];
    this.#length = 0;
    if (length > maxRowBytes) return [{ row, fault: 'body-too-large', message: `longer than ${maxRowBytes} bytes` }];
    return parseLine(row, line);
  }
}

function parseLine(row: number, line: Buffer): readonly SourceRow[] {
  if (!isUtf8(line)) return [{ row, fault: 'invalid-encoding', message: 'not UTF-8' }];
  const hasMark = row === 1 && line.subarray(0, 3).equals(byteOrderMark);
  const text = line.toString('utf8', hasMark ? 3 : 0);
  if (text.trim() === '') return [];
  try {
    return [{ row, value: JSON.parse(text) }];
  } catch {
    return [{ row, fault: 'malformed-json', message: 'not valid JSON' }];
  }
}
