import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { masterKey, publicUrl } from './replica.ts';

/** Where an operator's command runs: a built checkout, and the database. */
export type Operator = { readonly folder: string; readonly databaseUrl: string };

/** @returns what the command printed @throws when it fails */
export async function runCli({ folder, databaseUrl }: Operator, ...command: readonly string[]): Promise<string> {
  const node = join(folder, 'node_modules/.bin/node');
  const { stdout } = await promisify(execFile)(node, ['dist/apps/cli/src/main.js', ...command], {
    cwd: folder,
    maxBuffer: 1 << 28,
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      MASTER_KEY: masterKey,
      PUBLIC_URL: publicUrl,
      LOG_LEVEL: 'warn',
    },
  });
  return stdout;
}

/** @returns the user names, in the order of the export */
export async function exportUsers(operator: Operator): Promise<readonly string[]> {
  const text = await runCli(operator, 'users', 'export', '--format', 'ndjson');
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => String(JSON.parse(line).userName));
}

export const rotateKeys = (operator: Operator): Promise<string> => runCli(operator, 'keys', 'rotate', '--now');
