import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

import type { FastifyRequest } from 'fastify';

import { AppError } from '#libs/platform/errors';
import { liftBodyTimeout } from '#libs/platform/http';

import type { Bytes, SourceRows } from './prepare-row.js';
import { readCsv } from './read-csv.js';
import { readNdjson } from './read-ndjson.js';

/** Counted after gzip was unpacked. */
const limitBytes = 1_073_741_824;
/** When no byte comes or goes for this long, the client hangs or does not read its answer. */
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
      // The second time, the client has not read that it was too slow.
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

  /**
   * Reads all bytes, for the digest alone.
   * @throws AppError `body-too-large`; the signal's reason
   */
  async skip(signal: AbortSignal): Promise<void> {
    for await (const _ of this.#bytes(signal));
  }

  /** The digest of all bytes, and their format. Call it once, when all have been read. */
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
    for await (const chunk of isPacked ? unpacked(sent, signal) : limited(sent, signal)) {
      this.#hash.update(chunk);
      yield chunk;
    }
  }
}

/** The sender's stream stays open, because the answer goes out on its socket. */
async function* unpacked(sent: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  sent.pipe(gunzip);
  sent.once('error', (error) => gunzip.destroy(error));
  try {
    yield* limited(gunzip, signal);
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

/**
 * The chunks of a body, each read when it is asked for. Leaves the stream open.
 * @throws AppError `body-too-large`; the signal's reason
 */
async function* limited(body: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = body.iterator({ destroyOnReturn: false });
  let giveUp: ((reason: Error) => void) | undefined;
  signal.addEventListener('abort', () => giveUp?.(toError(signal.reason)), { once: true });
  let total = 0;
  for (;;) {
    signal.throwIfAborted();
    // A race with one promise for the whole import would keep every chunk in memory to its end.
    const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      giveUp = reject;
      chunks.next().then(resolve, reject);
    });
    if (next.done === true) return;
    total += next.value.byteLength;
    if (total > limitBytes) {
      throw new AppError('body-too-large', { detail: `Send at most ${limitBytes} bytes at once.` });
    }
    yield next.value;
  }
}

const toError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error('aborted'));

const isZlibError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
