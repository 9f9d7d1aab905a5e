import { Readable } from 'node:stream';

import { Inject, Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { type Attempt, Idempotency, KeptAnswer } from '#libs/platform/idempotency';
import { callerKey, isAdmin, type RequestSource } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';
import { CallerPlaces } from '#libs/platform/queues';

import { ImportBody } from './import-body.js';
import { ImportRecord, type KeptLines, lastLine, replayed } from './import-record.js';
import { importRights } from './import-run.js';
import { ImportWatch } from './import-watch.js';
import type { ImportSummary, RowResult } from './import-result.js';
import type { ImportQuery } from './import.schema.js';
import { UserImport } from './user-import.service.js';

/** What a client that is still sending may take to read why it was stopped. */
const partingMs = 5_000;

const nothing: ImportSummary = { done: false, rows: 0, created: 0, exists: 0, updated: 0, unchanged: 0, refused: 0 };

type Results = AsyncGenerator<readonly RowResult[], ImportSummary>;

/** An import as somebody asks for it; `gone` fires when they hang up. */
export type AskedImport = {
  readonly request: FastifyRequest;
  readonly query: ImportQuery;
  readonly source: RequestSource;
  readonly attempt: Attempt | undefined;
  readonly gone: AbortSignal;
};

type Work = { readonly body: ImportBody; readonly signal: AbortSignal; readonly record?: ImportRecord };
/** Gives its place to the next import, before the client can see that it is done; as often as one likes. */
type Release = () => void;
/** `end` is for when the answer has gone out, or nobody takes it any more. */
type Answer = { readonly lines: Readable; readonly end: () => Promise<void> };

/** Imports over HTTP: rows come in and results go out at the speed of the slowest of client, database and service. */
@Injectable()
export class ImportRequests {
  readonly #places = new CallerPlaces({ all: 4, perCaller: 2 }, 'Other imports are running.');
  readonly #logger = new Logger('ImportRequests');

  constructor(
    private readonly imports: UserImport,
    private readonly idempotency: Idempotency,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * The lines of the answer; begun only when the first rows are written, so that what cannot even begin is an error. Of
   * an `attempt` that was done before, the lines that are kept, once the body has been read and is the same.
   * @throws AppError `forbidden`, `overloaded`, `malformed-csv`, `request-timeout`, `unavailable`,
   *   `idempotency-key-in-use`, `idempotency-key-reused`
   */
  async begin(asked: AskedImport): Promise<Readable> {
    if (asked.query.onExisting === 'update' && !isAdmin(asked.source.caller)) {
      throw new AppError('forbidden', { detail: 'Only an administrator may change users by an import.' });
    }
    // each has a connection of the pool most of the time
    const release = this.#places.take(callerKey(asked.source.caller));
    const watch = new ImportWatch({
      callerNow: asked.source.callerNow,
      maxSeconds: this.config.IMPORT_MAX_SECONDS,
    });
    const leave = (): void => {
      watch.stop();
      release();
    };
    try {
      const { lines, end } = await this.#answer(asked, leave, watch);
      return lines.once('close', () => void this.#end(end).finally(leave));
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #answer(asked: AskedImport, release: Release, watch: ImportWatch): Promise<Answer> {
    const { request, attempt, gone } = asked;
    const body = new ImportBody(request);
    const signal = AbortSignal.any([gone, body.idle, watch.over]);
    if (!attempt) return this.#start(asked, release, { body, signal });
    const begun = await this.idempotency.begin<KeptLines>(attempt);
    if (begun instanceof KeptAnswer) {
      await body.skip(signal);
      await asked.source.callerNow();
      release();
      return { lines: replayed(begun.open(body.digest())), end: () => Promise.resolve() };
    }
    const record = new ImportRecord((kept) => begun.keep(body.digest(), kept));
    try {
      const work = { body, signal: AbortSignal.any([signal, begun.lost]), record };
      const { lines, end } = await this.#start(asked, release, work);
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

  async #start({ query, source }: AskedImport, release: Release, { body, signal, record }: Work): Promise<Answer> {
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

  /** Also for a client that has left: then the import ends at the border of a batch. */
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
  // before the client can see that it was done
  await onDone(step.value);
  yield lastLine(step.value);
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
