import { Inject, Injectable, Logger } from '@nestjs/common';

import { AuditTrail } from '#libs/security/audit';
import { type Config, CONFIG, isEmbedded } from '#libs/platform/config';
import { isUnavailable } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { ProfileSchemas } from '#libs/users';

import { BatchWriter } from './batch-writer.js';
import { type ImportOptions, ImportRun, type ImportSummary, type RowResult } from './import-run.js';
import { importRowSchema, type ImportRowSchema } from './import.schema.js';
import { prepareRow, type PreparedRow, type RowRules, type SourceRows } from './prepare-row.js';

type Counts = { -readonly [Key in 'rows' | RowResult['status']]: number };

type Checked = PreparedRow | RowResult;

/** PGlite works on the main thread, so a batch delays all other requests by as long as it takes. */
const batchRows = { postgres: 1_000, embedded: 200 };

/**
 * Imports users in batches, each written whole or not at all. While one batch is written, the next
 * one is read and checked. How an import resumes: see `resume.ts`.
 */
@Injectable()
export class UserImportService {
  readonly #logger = new Logger('UserImport');
  readonly #batchRows: number;
  readonly #schema: ImportRowSchema;

  constructor(
    private readonly writer: BatchWriter,
    private readonly audit: AuditTrail,
    private readonly profiles: ProfileSchemas,
    @Inject(CONFIG) config: Config,
  ) {
    this.#batchRows = isEmbedded(config) ? batchRows.embedded : batchRows.postgres;
    this.#schema = importRowSchema({
      memoryMib: config.IMPORT_HASH_MAX_MEMORY_MIB,
      bcryptCost: config.IMPORT_BCRYPT_MAX_COST,
      pbkdf2Iterations: config.IMPORT_PBKDF2_MAX_ITERATIONS,
      shaCryptRounds: config.IMPORT_SHA_CRYPT_MAX_ROUNDS,
    });
  }

  /**
   * Yields the results of each batch and returns the summary. Audited as two events, and one for
   * each administrator.
   * @throws AppError when no row was written; later failures are in the summary as `stopped`
   */
  async *run(source: SourceRows, options: ImportOptions): AsyncGenerator<readonly RowResult[], ImportSummary> {
    const counts: Counts = { rows: 0, created: 0, exists: 0, updated: 0, unchanged: 0, refused: 0 };
    const run = new ImportRun(options);
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
      // Runs also when the reader of the results has left.
      const details = { ...counts, done: outcome.done, stopped: outcome.stopped?.code ?? null };
      if (commit === 'write') await this.audit.record({ event: 'users-import-ended', details }, who);
    }
    return { ...outcome, ...counts };
  }

  async *#results(source: SourceRows, options: ImportOptions, run: ImportRun): AsyncGenerator<readonly RowResult[]> {
    let writing: Promise<readonly RowResult[]> | undefined;
    try {
      const rules = { ...options, schema: this.#schema, profiles: this.profiles };
      for await (const checked of checkedBatches(source, rules, this.#batchRows)) {
        if (writing) yield await writing;
        writing = undefined;
        options.signal.throwIfAborted();
        writing = this.#write(checked, run);
        // The next round awaits it; until then its failure must not count as unhandled.
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

/**
 * Checks rows and joins them to batches of at least `size`. When the source fails, the last batch
 * still comes.
 */
async function* checkedBatches(source: SourceRows, rules: RowRules, size: number): AsyncGenerator<readonly Checked[]> {
  let batch: Checked[] = [];
  try {
    for await (const rows of source) {
      for (const row of rows) batch.push(prepareRow(row, rules));
      if (batch.length < size) continue;
      yield batch;
      batch = [];
    }
  } catch (error) {
    if (batch.length > 0) yield batch;
    throw error;
  }
  if (batch.length > 0) yield batch;
}
