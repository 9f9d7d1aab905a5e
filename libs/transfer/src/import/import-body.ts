import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

import type { FastifyRequest } from 'fastify';

import { AppError } from '#libs/platform/errors';
import { liftBodyTimeout } from '#libs/platform/http';

import { readBody } from './read-body.js';
import { readCsv } from './read-csv.js';
import { readNdjson } from './read-ndjson.js';
import type { Bytes, SourceRows } from './source-row.js';

const limitBytes = 1_073_741_824;
/** Nothing received and nothing sent for this long: the client hangs, or does not read its answer. */
const idleMs = 30_000;

/** The body of an import, read as its rows are asked for. */
export class ImportBody {
  readonly #request: FastifyRequest;
  readonly #idle = new AbortController();
  readonly #hash = createHash('sha256');

  constructor(request: FastifyRequest) {
    this.#request = request;
    liftBodyTimeout(request);
    request.raw.setTimeout(idleMs, () => {
      // the second time nobody has noticed the first: the client does not read what it is told
      if (this.#idle.signal.aborted) request.raw.destroy();
      else this.#idle.abort(new AppError('request-timeout'));
    });
  }

  /** Aborts with `request-timeout` when the client hangs. */
  get idle(): AbortSignal {
    return this.#idle.signal;
  }

  rows(signal: AbortSignal): SourceRows {
    return this.#isCsv ? readCsv(this.#bytes(signal)) : readNdjson(this.#bytes(signal));
  }

  /** Reads all that comes, and keeps none of it. @throws AppError as `readBody` */
  async skip(signal: AbortSignal): Promise<void> {
    // oxlint-disable-next-line no-unused-vars -- the digest is all that is wanted of them
    for await (const _ of this.#bytes(signal));
  }

  /** Of all bytes, and of how they are taken; ask once, when all have been read. */
  digest(): string {
    return `${this.#isCsv ? 'csv' : 'ndjson'} ${this.#hash.digest('hex')}`;
  }

  get #isCsv(): boolean {
    return /^text\/csv\b/i.test(this.#request.headers['content-type'] ?? '');
  }

  async *#bytes(signal: AbortSignal): Bytes {
    const { body, raw } = this.#request;
    for await (const chunk of readBody(body instanceof Readable ? body : raw, { limitBytes, signal })) {
      this.#hash.update(chunk);
      yield chunk;
    }
  }
}
