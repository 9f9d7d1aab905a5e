import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Config } from '#libs/platform/config';
import type { LoadedMasterKey } from '#libs/platform/crypto';
import type { MadeAdmin } from '#libs/users';

type Started = {
  readonly config: Config;
  readonly origin: LoadedMasterKey['origin'];
  readonly madeAdmin: MadeAdmin | undefined;
  readonly isTerminal: boolean;
  readonly startMs: number;
};

/** What is where, and what to try next; at the first start also the administrator. */
export function renderFirstScreen({ config, origin, madeAdmin, isTerminal, startMs }: Started): string {
  const { PUBLIC_URL, DATA_DIR, DATABASE_URL } = config;
  const database = DATABASE_URL ? 'PostgreSQL at DATABASE_URL' : `embedded, in ${resolve(DATA_DIR, 'pglite')}`;
  const masterKey =
    origin === 'configured' ? 'from MASTER_KEY' : `${resolve(DATA_DIR, 'master.key')}: keep a copy in a safe place`;
  return [
    '',
    `  Gatehouse is ready at ${PUBLIC_URL} (${startMs} ms)`,
    '',
    `  explorer    ${PUBLIC_URL}/docs`,
    `  database    ${database}`,
    `  master key  ${masterKey}`,
    ...(madeAdmin ? adminLines(madeAdmin, DATA_DIR, isTerminal) : []),
    '',
    `  try         curl ${PUBLIC_URL}/health/ready`,
    '              and the first session in README.md',
    '',
    '',
  ].join('\n');
}

/** A made password is shown once in a terminal. Elsewhere this text ends in a log, so it goes to a file of its own. */
function adminLines({ userName, password }: MadeAdmin, dataDir: string, isTerminal: boolean): readonly string[] {
  if (password === undefined) return [`  admin       ${userName}, with the password from ADMIN_PASSWORD`];
  if (isTerminal)
    return [`  admin       ${userName}, password ${password}`, '              shown this once and kept nowhere'];
  const path = resolve(join(dataDir, 'first-admin-password'));
  writeFileSync(path, `${password}\n`, { mode: 0o600 });
  return [`  admin       ${userName}, password in ${path}: delete it when you have read it`];
}
