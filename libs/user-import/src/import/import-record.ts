import { Readable } from 'node:stream';
import { constants, createGunzip, gzipSync } from 'node:zlib';

import type { ImportSummary } from './import-result.js';

/** Some 250,000 rows. Of a longer answer only the last line is kept. */
const keptBytes = 4_194_304;

/** The lines of an answer, gzipped and in base64, or its last line alone. */
export type KeptLines = { readonly lines: string } | { readonly summary: ImportSummary };

/** Collects the answer of an import while it goes out, and keeps it under the client's key when the import is done. */
export class ImportRecord {
  #parts: Buffer[] | undefined = [];
  #length = 0;

  constructor(private readonly keep: (kept: KeptLines) => Promise<void>) {}

  /** A batch's lines are 75 KB and take a millisecond. */
  add(text: string): void {
    if (!this.#parts || text === '') return;
    const part = gzipSync(text, { level: constants.Z_BEST_SPEED });
    this.#length += part.length;
    if (this.#length > keptBytes) this.#parts = undefined;
    else this.#parts.push(part);
  }

  /** What was stopped is not kept: the rest of its rows is still to be brought in. */
  async end(summary: ImportSummary): Promise<void> {
    if (!summary.done) return;
    this.add(lastLine(summary));
    await this.keep(this.#parts ? { lines: Buffer.concat(this.#parts).toString('base64') } : { summary });
  }
}

export const lastLine = (summary: ImportSummary & { readonly linesKept?: false }): string =>
  `${JSON.stringify(summary)}\n`;

/** The answer as it was; where it was too long to be kept, a last line that says so. */
export function replayed(kept: KeptLines): Readable {
  if ('summary' in kept) return Readable.from([lastLine({ ...kept.summary, linesKept: false })], { objectMode: false });
  return Readable.from([Buffer.from(kept.lines, 'base64')]).pipe(createGunzip());
}
