import { Readable } from 'node:stream';

import { Inject, Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { type IdempotentRequest, Idempotency, KeptAnswer } from '#libs/platform/idempotency';
import { callerKey, type CallerNow, isAdmin, type RequestSource } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';
import { CallerPlaces } from '#libs/platform/queues';

import { ImportBody } from './import-body.js';
import { importRights, type ImportSummary, type RowResult } from './import-run.js';
import type { ImportQuery } from './import.schema.js';
import { ImportRecord, type KeptLines, lastLine, replayed } from './resume.js';
import { UserImportService } from './user-import.service.js';

/** How long a client that is still sending may take to read why it was stopped. */
const partingMs = 5_000;
const askEveryMs = 1_000;

const nothing: ImportSummary = { done: false, rows: 0, created: 0, exists: 0, updated: 0, unchanged: 0, refused: 0 };

type Results = AsyncGenerator<readonly RowResult[], ImportSummary>;

/** `gone` fires when the client hangs up. */
export type ImportRequest = {
  readonly request: FastifyRequest;
  readonly query: ImportQuery;
  readonly source: RequestSource;
  readonly idempotent: IdempotentRequest | undefined;
  readonly gone: AbortSignal;
};

type Work = { readonly body: ImportBody; readonly signal: AbortSignal; readonly record?: ImportRecord };
/** Gives the import's place to the next one; may be called more than once. */
type Release = () => void;
/** Call `end` when the answer has gone out, or when nobody reads it any more. */
type Answer = { readonly lines: Readable; readonly end: () => Promise<void> };

/**
 * Imports over HTTP. Rows come in and results go out as fast as client, database and service all
 * can.
 */
@Injectable()
export class ImportRequestsService {
  readonly #places = new CallerPlaces({ all: 4, perCaller: 2 }, 'Other imports are running.');
  readonly #logger = new Logger('ImportRequests');

  constructor(
    private readonly imports: UserImportService,
    private readonly idempotency: Idempotency,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * The lines of the answer, once the first rows are written: an import that cannot begin is an
   * error. When the request was done before under its `Idempotency-Key`, the lines that are kept,
   * once the whole body was read and is the same.
   * @throws AppError `forbidden`, `overloaded`, `malformed-csv`, `request-timeout`, `unavailable`,
   *   `idempotency-key-in-use`, `idempotency-key-reused`
   */
  async begin(wanted: ImportRequest): Promise<Readable> {
    if (wanted.query.onExisting === 'update' && !isAdmin(wanted.source.caller)) {
      throw new AppError('forbidden', { detail: 'Only an administrator may change users by an import.' });
    }
    // An import holds a connection of the pool most of the time.
    const release = this.#places.take(callerKey(wanted.source.caller));
    const watch = watchImport(wanted.source.callerNow, this.config.IMPORT_MAX_SECONDS);
    const leave = (): void => {
      watch.stop();
      release();
    };
    try {
      const { lines, end } = await this.#answer(wanted, leave, watch.over);
      return lines.once('close', () => void this.#end(end).finally(leave));
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #answer(wanted: ImportRequest, release: Release, over: AbortSignal): Promise<Answer> {
    const { request, idempotent, gone } = wanted;
    const body = new ImportBody(request);
    const signal = AbortSignal.any([gone, body.idle, over]);
    if (!idempotent) return this.#start(wanted, release, { body, signal });
    const begun = await this.idempotency.begin<KeptLines>(idempotent);
    if (begun instanceof KeptAnswer) {
      await body.skip(signal);
      await wanted.source.callerNow();
      release();
      return { lines: replayed(begun.open(body.digest())), end: () => Promise.resolve() };
    }
    const record = new ImportRecord((kept) => begun.keep(body.digest(), kept));
    try {
      const work = { body, signal: AbortSignal.any([signal, begun.lost]), record };
      const { lines, end } = await this.#start(wanted, release, work);
      const endBoth = async (): Promise<void> => {
        try {
          await end();
        } finally {
          await begun.end();
        }
      };
      return { lines, end: endBoth };
    } catch (error) {
      await begun.end();
      throw error;
    }
  }

  async #start({ query, source }: ImportRequest, release: Release, { body, signal, record }: Work): Promise<Answer> {
    const rights = isAdmin(source.caller) ? importRights.administrator : importRights.service;
    const options = { ...rights, who: source, onExisting: query.onExisting, commit: 'write', signal } as const;
    const results = this.imports.run(body.rows(signal, query.delimiter), options);
    const first = await results.next();
    const onDone = async (summary: ImportSummary): Promise<void> => {
      await record?.end(summary);
      release();
    };
    const lines = Readable.from(linesOf(results, first, query.report, { record, onDone }), { objectMode: false });
    return { lines, end: async () => void (await results.return(nothing)) };
  }

  /**
   * Runs also when the client has left; then the import ends after the batch that is being written.
   */
  async #end(end: Answer['end']): Promise<void> {
    try {
      await end();
    } catch (error) {
      this.#logger.error({ err: error, event: 'the end of an import was not recorded' });
    }
  }
}

async function* linesOf(
  results: Results,
  first: IteratorResult<readonly RowResult[], ImportSummary>,
  report: ImportQuery['report'],
  { record, onDone }: { record: ImportRecord | undefined; onDone: (summary: ImportSummary) => Promise<void> },
): AsyncGenerator<string> {
  let step = first;
  while (step.done !== true) {
    const lines = report === 'all' ? step.value : step.value.filter(({ status }) => status === 'refused');
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    record?.add(text);
    if (text !== '') yield text;
    step = await results.next();
  }
  // The answer is kept before the client can see that the import was done.
  await onDone(step.value);
  yield lastLine(step.value);
}

/**
 * Ends an import whose caller is no longer trusted, or whose time is over, also while nothing is
 * written: until then it would keep others from importing.
 * @returns a signal that aborts with the error for the caller; call `stop` when the import has
 *   ended
 */
function watchImport(callerNow: CallerNow, maxSeconds: number): { readonly over: AbortSignal; stop(): void } {
  const over = new AbortController();
  const ask = async (): Promise<void> => {
    try {
      await callerNow();
    } catch (error) {
      // When trust cannot be checked just now, nothing ends: each write checks it for itself.
      if (error instanceof AppError && error.status < 500) over.abort(error);
    }
  };
  const detail = `An import may take ${maxSeconds} s in all (IMPORT_MAX_SECONDS). Send the same rows again to go on.`;
  const endLate = (): void => over.abort(new AppError('request-timeout', { detail }));
  const asking = setInterval(() => void ask(), askEveryMs).unref();
  const timer = setTimeout(endLate, maxSeconds * 1_000).unref();
  const stop = (): void => {
    clearInterval(asking);
    clearTimeout(timer);
  };
  return { over: over.signal, stop };
}

/** Closes the connection of a client that goes on sending when its answer is complete. */
export function cutOffAfterAnswer(
  { raw }: FastifyRequest,
  answered: { once(event: 'finish', listener: () => void): unknown },
): void {
  answered.once('finish', () => {
    if (!raw.complete) setTimeout(() => raw.destroy(), partingMs).unref();
  });
}
