import { resolve } from 'node:path';

import type { Config } from '#libs/platform/config';
import type { LoadedMasterKey } from '#libs/platform/crypto';
import { firstAdminPasswordFile, type MadeAdmin } from '#libs/users';

type Started = {
  readonly config: Config;
  readonly origin: LoadedMasterKey['origin'];
  readonly madeAdmin: MadeAdmin | undefined;
  readonly isTerminal: boolean;
  readonly startMs: number;
};

/** Where things are, what to try next, and how to find the first administrator's password. */
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
    ...adminLines(madeAdmin, firstAdminPasswordFile(DATA_DIR), isTerminal),
    '',
    `  try         curl ${PUBLIC_URL}/health/ready`,
    '              and the first session in README.md',
    '',
    '',
  ].join('\n');
}

/** Only a terminal gets the password itself: elsewhere this text ends in a log. */
function adminLines(
  madeAdmin: MadeAdmin | undefined,
  file: string | undefined,
  isTerminal: boolean,
): readonly string[] {
  const lost = '              lost it? npm run cli -- admin reset';
  if (madeAdmin && madeAdmin.password === undefined) {
    return [`  admin       ${madeAdmin.userName}, with the password from ADMIN_PASSWORD`, lost];
  }
  if (file === undefined) return [];
  const where = `${file}: delete it when you have read it`;
  if (!madeAdmin) return [`  admin       password in ${where}`, lost];
  const { userName, password } = madeAdmin;
  return isTerminal
    ? [`  admin       ${userName}, password ${password}`, `              also in ${where}`, lost]
    : [`  admin       ${userName}, password in ${where}`, lost];
}
