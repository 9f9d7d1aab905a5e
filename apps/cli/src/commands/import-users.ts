import { createReadStream, createWriteStream, statSync, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import process, { stderr, stdin } from 'node:process';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

import type { INestApplicationContext } from '@nestjs/common';

import { AppError } from '#libs/platform/errors';
import {
  type Bytes,
  type ColumnMap,
  type ImportSummary,
  readCsv,
  readNdjson,
  UserImportService,
} from '#libs/user-import';
import { BulkUsersRepository } from '#libs/users';

import { type Environment, withContext } from '../operator-context.js';
import { Progress } from './progress.js';

export type ImportFlags = {
  readonly format?: 'ndjson' | 'csv';
  readonly map: ColumnMap;
  readonly delimiter?: string;
  readonly onExisting: 'skip' | 'update';
  readonly report?: string;
  readonly dryRun?: true;
};

/** `stopped`: later rows were not read. `refused`: all rows were read, and some were refused. */
const exitCodes = { done: 0, stopped: 1, refused: 2, interrupted: 130 } as const;
const readBytes = 65_536;

/** @returns the exit code: see `exitCodes` */
export async function importUsers(environment: Environment, file: string, flags: ImportFlags): Promise<number> {
  const input = await openInput(file);
  const report = flags.report === undefined ? undefined : await openReport(flags.report);
  const interrupted = interruption();
  const progress = new Progress(stderr, input.bytes);
  const summary = await withContext(environment, async (context) => {
    const source = formatOf(file, flags) === 'csv' ? readCsv : readNdjson;
    const stream = input.open(interrupted.signal);
    const rows = source(counted(stream, progress), { columns: flags.map, delimiter: flags.delimiter });
    const results = context.get(UserImportService).run(rows, {
      who: 'operator',
      grantable: 'any',
      reservedNames: 'taken',
      onExisting: flags.onExisting,
      commit: flags.dryRun ? 'dry-run' : 'write',
      signal: interrupted.signal,
    });
    for (;;) {
      const step = await results.next();
      if (step.done) {
        await tellAboutAdmin(context, flags);
        return step.value;
      }
      progress.add(step.value.length, step.value.filter(({ status }) => status === 'refused').length);
      await write(report, step.value.map((result) => `${JSON.stringify(result)}\n`).join(''));
    }
  }).finally(() => progress.end());
  report?.end();
  stderr.write(describe(summary, flags));
  if (interrupted.signal.aborted) return exitCodes.interrupted;
  if (!summary.done) return exitCodes.stopped;
  return summary.refused > 0 ? exitCodes.refused : exitCodes.done;
}

type Input = { readonly bytes: number | undefined; readonly open: (signal: AbortSignal) => Readable };

async function openInput(file: string): Promise<Input> {
  if (file === '-') return { bytes: undefined, open: (signal) => stopping(stdin, signal) };
  const stream = createReadStream(file, { highWaterMark: readBytes });
  // When the file is missing, the command fails before it opens the database.
  await once(stream, 'open');
  const isPacked = file.endsWith('.gz');
  const open = (signal: AbortSignal): Readable =>
    stopping(isPacked ? pipeline(stream, createGunzip(), () => undefined) : stream, signal);
  return { bytes: isPacked ? undefined : statSync(file).size, open };
}

function stopping(stream: Readable, signal: AbortSignal): Readable {
  signal.addEventListener('abort', () => stream.destroy(asError(signal.reason)), { once: true });
  return stream;
}

/** A new file only: one that exists would keep its mode, and its readers. */
async function openReport(file: string): Promise<WriteStream> {
  const stream = createWriteStream(file, { mode: 0o600, flags: 'wx' });
  try {
    await once(stream, 'open');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new Error(`${file} is there already: name another file, or take it away first`, { cause: error });
  }
  return stream;
}

async function write(report: WriteStream | undefined, text: string): Promise<void> {
  if (report && !report.write(text)) await once(report, 'drain');
}

async function* counted(bytes: Bytes, progress: Progress): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    progress.read(chunk.byteLength);
    yield chunk;
  }
}

/** The first Ctrl-C ends the import after the batch that is being written, the second at once. */
function interruption(): AbortController {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stderr.write('\nStopping after the rows that are being written …\n');
      controller.abort(new AppError('bad-request', { detail: 'Interrupted.' }));
    });
  }
  return controller;
}

function formatOf(file: string, { format }: ImportFlags): 'ndjson' | 'csv' {
  return format ?? (/\.csv(\.gz)?$/i.test(file) ? 'csv' : 'ndjson');
}

function describe({ done, stopped, ...counts }: ImportSummary, { dryRun }: ImportFlags): string {
  const { rows, created, exists, updated, unchanged, refused } = counts;
  const how = dryRun ? 'Dry run, nothing was written: ' : '';
  const lines = [
    `${how}${rows} rows: ${created} created, ${exists} there already, ${updated} updated, ${unchanged} unchanged, ${refused} refused.`,
    ...(done ? [] : [`Stopped after row ${rows}: ${stopped?.detail ?? ''}`]),
    ...(done || dryRun ? [] : ['Run the same command again to go on: what is there already is left as it is.']),
  ];
  return `${lines.join('\n')}\n`;
}

async function tellAboutAdmin(context: INestApplicationContext, { dryRun }: ImportFlags): Promise<void> {
  if (dryRun || (await context.get(BulkUsersRepository).hasAdmin())) return;
  stderr.write('\nThere is no active administrator, and the service makes one only where there are no users at all.\n');
  stderr.write('Make one: npm run cli -- admin create <user name>\n');
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));
