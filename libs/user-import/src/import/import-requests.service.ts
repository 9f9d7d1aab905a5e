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

/** What an import holds until its answer has gone out, and how to give up its place before that. */
type Held = { readonly cleanup: AsyncDisposableStack; readonly release: () => void; readonly over: AbortSignal };

/** Imports over HTTP, at the speed of the slowest of client, database and service. */
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
    const { callerNow, caller } = wanted.source;
    if (wanted.query.onExisting === 'update' && !isAdmin(caller)) {
      throw new AppError('forbidden', { detail: 'Only an administrator may change users by an import.' });
    }
    // An import holds a connection of the pool most of the time.
    const release = this.#places.take(callerKey(caller));
    const cleanup = new AsyncDisposableStack();
    cleanup.defer(release);
    const watch = watchImport(callerNow, this.config.IMPORT_MAX_SECONDS);
    cleanup.defer(watch.stop);
    try {
      const lines = await this.#answer(wanted, { cleanup, release, over: watch.over });
      return lines.once('close', () => void this.#end(cleanup));
    } catch (error) {
      await this.#end(cleanup);
      throw error;
    }
  }

  async #answer(wanted: ImportRequest, { cleanup, release, over }: Held): Promise<Readable> {
    const { request, query, source, idempotent, gone } = wanted;
    const body = new ImportBody(request);
    const signals = [gone, body.idle, over];
    const lease = idempotent && (await this.idempotency.begin<KeptLines>(idempotent));
    if (lease instanceof KeptAnswer) {
      await body.skip(AbortSignal.any(signals));
      await source.callerNow();
      release();
      return replayed(lease.open(body.digest()));
    }
    if (lease) {
      cleanup.defer(() => lease.end());
      signals.push(lease.lost);
    }
    const signal = AbortSignal.any(signals);
    const rights = isAdmin(source.caller) ? importRights.administrator : importRights.service;
    const options = { ...rights, who: source, onExisting: query.onExisting, commit: 'write', signal } as const;
    const results = this.imports.run(body.rows(signal, query.delimiter), options);
    cleanup.defer(async () => void (await results.return(nothing)));
    const first = await results.next();
    const record = lease && new ImportRecord((kept) => lease.keep(body.digest(), kept));
    return Readable.from(linesOf(results, first, query.report, { record, release }), { objectMode: false });
  }

  /** When the client has left, the import ends after the batch that is being written. */
  async #end(cleanup: AsyncDisposableStack): Promise<void> {
    try {
      await cleanup.disposeAsync();
    } catch (error) {
      this.#logger.error({ err: error, event: 'the end of an import was not recorded' });
    }
  }
}

async function* linesOf(
  results: Results,
  first: IteratorResult<readonly RowResult[], ImportSummary>,
  report: ImportQuery['report'],
  { record, release }: { record: ImportRecord | undefined; release: () => void },
): AsyncGenerator<string> {
  let step = first;
  while (step.done !== true) {
    const lines = report === 'all' ? step.value : step.value.filter(({ status }) => status === 'refused');
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    record?.add(text);
    if (text !== '') yield text;
    step = await results.next();
  }
  // Both come before the client can see that the import was done.
  await record?.end(step.value);
  release();
  yield lastLine(step.value);
}

/**
 * Ends an import whose caller is no longer trusted, or whose time is over. It acts also while
 * nothing is written, because the import keeps its place meanwhile.
 * @returns `over` aborts with the error for the caller; call `stop` when the import has ended
 */
function watchImport(
  callerNow: CallerNow,
  maxSeconds: number,
): { readonly over: AbortSignal; readonly stop: () => void } {
  const over = new AbortController();
  // When trust cannot be checked just now, nothing ends: each write checks it for itself.
  const ask = () =>
    callerNow().catch((error: unknown) => {
      if (error instanceof AppError && error.status < 500) over.abort(error);
    });
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
