import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

import type { FastifyRequest } from 'fastify';

import { AppError } from '#libs/platform/errors';
import { liftBodyTimeout } from '#libs/platform/http';

import { readBody } from './read-body.js';
import { readCsv } from './read-csv.js';
import { readNdjson } from './read-ndjson.js';
import type { Bytes, SourceRows } from './source-row.js';

/** Of what was packed, when it has been unpacked. */
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

  rows(signal: AbortSignal, delimiter?: string): SourceRows {
    return this.#isCsv ? readCsv(this.#bytes(signal), { delimiter }) : readNdjson(this.#bytes(signal));
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
    return /^\s*[\w.-]+\/(?:[\w.-]*csv|vnd\.ms-excel|(?:comma|tab)-separated-values)\s*(?:;|$)/i.test(
      this.#request.headers['content-type'] ?? '',
    );
  }

  async *#bytes(signal: AbortSignal): Bytes {
    const { body, raw, headers } = this.#request;
    const sent = body instanceof Readable ? body : raw;
    const isPacked = /gzip/i.test(headers['content-encoding'] ?? '');
    for await (const chunk of isPacked ? unpacked(sent, signal) : readBody(sent, { limitBytes, signal })) {
      this.#hash.update(chunk);
      yield chunk;
    }
  }
}

/** The sender's stream stays open, since the answer goes out on its socket. */
async function* unpacked(sent: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  sent.pipe(gunzip);
  sent.once('error', (error) => gunzip.destroy(error));
  try {
    yield* readBody(gunzip, { limitBytes, signal });
  } catch (error) {
    if (!isZlibError(error)) throw error;
    throw new AppError('bad-request', {
      detail: 'The body is not whole gzip, as its `Content-Encoding` says.',
      cause: error,
    });
  } finally {
    sent.unpipe(gunzip);
    gunzip.destroy();
  }
}

const isZlibError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
