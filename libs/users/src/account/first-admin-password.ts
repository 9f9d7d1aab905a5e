import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { ConfigError } from '#libs/platform/config';

const fileName = 'first-admin-password';

/** Path of the file with the generated password of the first administrator, if it exists. */
export function firstAdminPasswordFile(dataDir: string): string | undefined {
  const path = resolve(join(dataDir, fileName));
  return existsSync(path) ? path : undefined;
}

/**
 * Keeps the password with mode 0600, in a folder that only its owner can open.
 * @throws ConfigError when the folder cannot be written: nobody could be told the password then
 */
export function keepFirstAdminPassword(dataDir: string, password: string): void {
  const path = join(dataDir, fileName);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    // The file of a start that failed may be there, and `mode` counts only for a new one.
    rmSync(path, { force: true });
    writeFileSync(path, `${password}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new ConfigError([
      `DATA_DIR cannot be written${reason}, and the first administrator's password is kept there: make it writable, or set ADMIN_PASSWORD or ADMIN_PASSWORD_FILE`,
    ]);
  }
}

/** Removes the file when its administrator was not made after all. */
export const dropFirstAdminPassword = (dataDir: string): void => rmSync(join(dataDir, fileName), { force: true });
