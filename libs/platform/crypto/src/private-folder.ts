import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { stderr } from 'node:process';

const othersMode = 0o077;

/**
 * Makes a folder that only this user may enter, or takes others' rights from one that is there:
 * keys and the database are in it. Where that is not ours to do, as with a volume that is mounted,
 * it is said; the files inside are 0600 all the same.
 */
export function ensurePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { mode } = statSync(path);
  if ((mode & othersMode) === 0 || process.platform === 'win32') return;
  try {
    chmodSync(path, 0o700);
  } catch {
    stderr.write(
      `${path} can be entered by others (mode ${(mode & 0o777).toString(8)}), and belongs to somebody else: chmod 700 ${path}\n`,
    );
  }
}
