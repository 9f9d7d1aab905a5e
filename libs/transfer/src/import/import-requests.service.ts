import { Readable } from 'node:stream';

import { Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { isAdmin, type Origin } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { liftBodyTimeout } from '#libs/platform/http';

import type { ImportSummary, RowResult } from './import-result.js';
import type { ImportQuery } from './import.schema.js';
import { readBody } from './read-body.js';
import { readCsv } from './read-csv.js';
import { readNdjson } from './read-ndjson.js';
import type { SourceRows } from './source-row.js';
import { UserImport } from './user-import.service.js';

/** Each has a connection of the pool most of the time. */
const maxAtOnce = 2;
const limitBytes = 1_073_741_824;
/** Nothing received and nothing sent for this long: the client hangs, or does not read its answer. */
const idleMs = 30_000;
/** What a client that is still sending may take to read why it was stopped. */
const partingMs = 5_000;

const nothing: ImportSummary = { done: false, rows: 0, created: 0, exists: 0, updated: 0, unchanged: 0, refused: 0 };

type Results = AsyncGenerator<readonly RowResult[], ImportSummary>;

/** Imports over HTTP: rows come in and results go out at the speed of the slowest of client, database and service. */
@Injectable()
export class ImportRequests {
  #running = 0;
  readonly #logger = new Logger('ImportRequests');

  constructor(private readonly imports: UserImport) {}

  /**
   * The lines of the answer; begun only when the first rows are written, so that what cannot even begin is an error.
   * @throws AppError `forbidden`, `overloaded`, `malformed-csv`, `request-timeout`, `unavailable`
   */
  async begin(request: FastifyRequest, query: ImportQuery, origin: Origin, gone: AbortSignal): Promise<Readable> {
    if (query.onExisting === 'update' && !isAdmin(origin.caller)) {
      throw new AppError('forbidden', { detail: 'Only an administrator may change users by an import.' });
    }
    if (this.#running >= maxAtOnce) {
      throw new AppError('overloaded', { detail: 'Other imports are running.', headers: { 'retry-after': '10' } });
    }
    this.#running++;
    const results = this.#results(request, query, origin, gone);
    try {
      const first = await results.next();
      const lines = Readable.from(linesOf(results, first, query), { objectMode: false });
      return lines.once('close', () => void this.#end(results));
    } catch (error) {
      this.#running--;
      throw error;
    }
  }

  #results(request: FastifyRequest, { onExisting }: ImportQuery, who: Origin, gone: AbortSignal): Results {
    liftBodyTimeout(request);
    const idle = new AbortController();
    request.raw.setTimeout(idleMs, () => {
      // the second time nobody has noticed the first: the client does not read what it is told
      if (idle.signal.aborted) request.raw.destroy();
      else idle.abort(new AppError('request-timeout'));
    });
    const signal = AbortSignal.any([gone, idle.signal]);
    const grantable = isAdmin(who.caller) ? (['user', 'admin'] as const) : (['user'] as const);
    return this.imports.run(rowsOf(request, signal), { who, grantable, onExisting, commit: 'write', signal });
  }

  /** Also for a client that has left: then the import ends at the border of a batch. */
  async #end(results: Results): Promise<void> {
    try {
      await results.return(nothing);
    } catch (error) {
      this.#logger.error({ err: error, event: 'the end of an import was not recorded' });
    } finally {
      this.#running--;
    }
  }
}

async function* linesOf(
  results: Results,
  first: IteratorResult<readonly RowResult[], ImportSummary>,
  { report }: ImportQuery,
): AsyncGenerator<string> {
  let step = first;
  while (step.done !== true) {
    const lines = report === 'all' ? step.value : step.value.filter(({ status }) => status === 'refused');
    if (lines.length > 0) yield lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    step = await results.next();
  }
  yield `${JSON.stringify(step.value)}\n`;
}

function rowsOf(request: FastifyRequest, signal: AbortSignal): SourceRows {
  const body = request.body instanceof Readable ? request.body : request.raw;
  const bytes = readBody(body, { limitBytes, signal });
  return /^text\/csv\b/i.test(request.headers['content-type'] ?? '') ? readCsv(bytes) : readNdjson(bytes);
}

/** A client that goes on sending after its answer is complete is not listened to for ever. */
export function cutOffAfterAnswer(
  { raw }: FastifyRequest,
  answered: { once(event: 'finish', listener: () => void): unknown },
): void {
  answered.once('finish', () => {
    if (!raw.complete) setTimeout(() => raw.destroy(), partingMs).unref();
  });
}
