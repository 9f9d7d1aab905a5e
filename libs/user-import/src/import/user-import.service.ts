import { Inject, Injectable, Logger } from '@nestjs/common';

import { AuditTrail } from '#libs/security/audit';
import { type Config, CONFIG } from '#libs/platform/config';
import { isUnavailable } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import { BatchWriter } from './batch-writer.service.js';
import type { ImportSummary, RowResult } from './import-result.js';
import { type ImportOptions, ImportRun } from './import-run.js';
import { inBatches } from './in-batches.js';
import { prepareRow, type PreparedRow, type RowRules } from './prepare-row.js';
import { importRowSchema, type ImportRowSchema } from './row.schema.js';
import type { SourceRows } from './source-row.js';

type Counts = { -readonly [Key in 'rows' | RowResult['status']]: number };

type Checked = PreparedRow | RowResult;

/** PGlite works on the main thread: a batch holds up all requests for as long as it takes. */
const batchRows = { postgres: 1_000, embedded: 200 };

/**
 * Brings users in, batch after batch, each written whole or not at all. While one is written the next one is read and
 * checked. Nothing is remembered between runs: a row whose user exists is reported as such, so that a run that was
 * cut off is simply run again.
 */
@Injectable()
export class UserImport {
  readonly #logger = new Logger('UserImport');
  readonly #batchRows: number;
  readonly #schema: ImportRowSchema;

  constructor(
    private readonly writer: BatchWriter,
    private readonly audit: AuditTrail,
    @Inject(CONFIG) config: Config,
  ) {
    this.#batchRows = config.DATABASE_URL === undefined ? batchRows.embedded : batchRows.postgres;
    this.#schema = importRowSchema({
      memoryMib: config.IMPORT_HASH_MAX_MEMORY_MIB,
      bcryptCost: config.IMPORT_BCRYPT_MAX_COST,
      pbkdf2Iterations: config.IMPORT_PBKDF2_MAX_ITERATIONS,
      shaCryptRounds: config.IMPORT_SHA_CRYPT_MAX_ROUNDS,
    });
  }

  /**
   * Yields the results of each batch, and returns the summary. Audited as two events, and one for each administrator.
   * @throws AppError when it could not even begin; later failures are in the summary as `stopped`
   */
  async *run(source: SourceRows, options: ImportOptions): AsyncGenerator<readonly RowResult[], ImportSummary> {
    const counts: Counts = { rows: 0, created: 0, exists: 0, updated: 0, unchanged: 0, refused: 0 };
    const run = new ImportRun(options, Date.now());
    const { who, onExisting, commit } = options;
    if (!run.isDry) await this.audit.record({ event: 'users-import-started', details: { onExisting } }, who);
    let outcome: Pick<ImportSummary, 'done' | 'stopped'> = { done: false };
    try {
      for await (const results of this.#results(source, options, run)) {
        count(counts, results);
        yield results;
      }
      outcome = { done: true };
    } catch (error) {
      const stopped = this.#explain(error);
      if (counts.rows === 0) throw stopped;
      outcome = { done: false, stopped: { code: stopped.code, detail: stopped.message } };
    } finally {
      // also when the reader of the results has left
      const details = { ...counts, done: outcome.done, stopped: outcome.stopped?.code ?? null };
      if (commit === 'write') await this.audit.record({ event: 'users-import-ended', details }, who);
    }
    return { ...outcome, ...counts };
  }

  async *#results(source: SourceRows, options: ImportOptions, run: ImportRun): AsyncGenerator<readonly RowResult[]> {
    let writing: Promise<readonly RowResult[]> | undefined;
    try {
      const rules = { ...options, schema: this.#schema };
      for await (const checked of inBatches(check(source, rules), this.#batchRows)) {
        if (writing) yield await writing;
        writing = undefined;
        options.signal.throwIfAborted();
        writing = this.#write(checked, run);
        // it is awaited below; until then its failure is nobody's
        writing.catch(() => undefined);
      }
    } catch (error) {
      if (writing) yield await writing;
      throw error;
    }
    if (writing) yield await writing;
  }

  async #write(checked: readonly Checked[], run: ImportRun): Promise<readonly RowResult[]> {
    await run.assertTrusted();
    const rows = checked.filter((row) => 'user' in row);
    const refusals = checked.filter((row) => 'status' in row);
    const written = rows.length === 0 ? [] : await this.writer.write(rows, run);
    if (refusals.length === 0) return written;
    return [...written, ...refusals].toSorted((left, right) => left.row - right.row);
  }

  #explain(error: unknown): AppError {
    if (error instanceof AppError) return error;
    const code = isUnavailable(error) ? 'unavailable' : 'internal-error';
    this.#logger.error({ err: error, event: 'import stopped' });
    return new AppError(code, { cause: error });
  }
}

function count(counts: Counts, results: readonly RowResult[]): void {
  counts.rows += results.length;
  for (const { status } of results) counts[status]++;
}

async function* check(source: SourceRows, rules: RowRules): AsyncGenerator<readonly Checked[]> {
  for await (const rows of source) yield rows.map((row) => prepareRow(row, rules));
}
