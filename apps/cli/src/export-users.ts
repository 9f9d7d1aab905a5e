import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, renameSync } from 'node:fs';
import { stderr, stdout } from 'node:process';
import type { Writable } from 'node:stream';

import { RowExport } from '#libs/transfer';

import { type Environment, withContext } from './operator-context.js';
import { Progress } from './progress.js';

export type ExportFlags = {
  readonly format?: 'ndjson' | 'csv';
  readonly withHashes?: true;
  readonly forSpreadsheets?: true;
};

/** A file is there under its name when it is whole. */
export async function exportUsers(
  environment: Environment,
  file: string | undefined,
  flags: ExportFlags,
): Promise<number> {
  const target = file === undefined || file === '-' ? undefined : file;
  const half = `${target}.part`;
  const output: Writable = target === undefined ? stdout : createWriteStream(half, { mode: 0o600 });
  if (target !== undefined) await once(output, 'open');
  const progress = new Progress(stderr, undefined);
  const digest = createHash('sha256');
  let users = 0;
  await withContext(environment, async (context) => {
    const chunks = context.get(RowExport).run({
      format: flags.format ?? (target?.toLowerCase().endsWith('.csv') ? 'csv' : 'ndjson'),
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
  if (target !== undefined) {
    output.end();
    await once(output, 'close');
    renameSync(half, target);
  }
  stderr.write(`${users} users, SHA-256 ${digest.digest('hex')}\n`);
  return 0;
}
