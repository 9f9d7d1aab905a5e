import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { stderr, stdout } from 'node:process';
import type { Writable } from 'node:stream';

import { BulkExportService } from '#libs/user-import';

import { type Environment, withContext } from '../operator-context.js';
import { Progress } from './progress.js';

export type ExportFlags = {
  readonly format?: 'ndjson' | 'csv';
  readonly withHashes?: true;
  readonly forSpreadsheets?: true;
  readonly force?: true;
};

/** Writes to a file of another name first, so that the file under its name is always whole. */
export async function exportUsers(
  environment: Environment,
  file: string | undefined,
  flags: ExportFlags,
): Promise<number> {
  const target = file === undefined || file === '-' ? undefined : file;
  if (target !== undefined && !flags.force && existsSync(target)) {
    throw new Error(`${target} is there already: name another file, or say --force to put the new one in its place`);
  }
  const half = `${target}.${randomUUID()}.part`;
  // A new file only: one that exists would keep its mode, and whoever may read it.
  const output: Writable = target === undefined ? stdout : createWriteStream(half, { mode: 0o600, flags: 'wx' });
  if (target !== undefined) await once(output, 'open');
  try {
    const told = await writeUsers(environment, output, { ...flags, format: formatOf(target, flags) });
    if (target !== undefined) await putInPlace(output, half, target);
    stderr.write(told);
    return 0;
  } catch (error) {
    if (target !== undefined) rmSync(half, { force: true });
    throw error;
  }
}

const formatOf = (target: string | undefined, { format }: ExportFlags): 'ndjson' | 'csv' =>
  format ?? (target?.toLowerCase().endsWith('.csv') ? 'csv' : 'ndjson');

async function putInPlace(output: Writable, half: string, target: string): Promise<void> {
  output.end();
  await once(output, 'close');
  renameSync(half, target);
}

/** @returns the message for the operator */
async function writeUsers(environment: Environment, output: Writable, flags: ExportFlags): Promise<string> {
  const progress = new Progress(stderr, undefined);
  const digest = createHash('sha256');
  let users = 0;
  await withContext(environment, async (context) => {
    const chunks = context.get(BulkExportService).run({
      format: flags.format ?? 'ndjson',
      hashes: flags.withHashes ? 'with-hashes' : 'without-hashes',
      cells: flags.forSpreadsheets ? 'spreadsheet' : 'exact',
    });
    for await (const chunk of chunks) {
      digest.update(chunk.text);
      users += chunk.users;
      progress.add(chunk.users, 0);
      if (!output.write(chunk.text)) await once(output, 'drain');
    }
  }).finally(() => progress.end());
  return `${users} users, SHA-256 ${digest.digest('hex')}\n`;
}
