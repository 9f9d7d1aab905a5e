import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { note } from './table.ts';

/** A built checkout of another commit, in a temporary folder. */
export type Checkout = { readonly folder: string; readonly commit: string; remove(): void };

/**
 * Checks a commit out beside `app` and builds it. It has `app`'s packages where the lock files are
 * the same, else its own (`npm ci`).
 * @throws where git does not know the commit, or it does not build
 */
export function checkOut(app: string, ref: string): Checkout {
  const git = (...parameters: readonly string[]): string =>
    execFileSync('git', ['-C', app, ...parameters], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  const commit = git('rev-parse', '--verify', `${ref}^{commit}`);
  const folder = join(mkdtempSync(join(tmpdir(), 'gatehouse-upgrade-')), 'checkout');
  const remove = (): void => {
    // the link goes first, so that nothing follows it into the packages of `app`
    rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
    if (existsSync(folder)) git('worktree', 'remove', '--force', folder);
    rmSync(join(folder, '..'), { recursive: true, force: true });
    git('worktree', 'prune');
  };
  try {
    git('worktree', 'add', '--detach', folder, commit);
    installPackages(app, folder);
    build(app, folder);
  } catch (error) {
    remove();
    throw error;
  }
  return { folder, commit: commit.slice(0, 7), remove };
}

function installPackages(app: string, folder: string): void {
  const lock = (where: string): string => readFileSync(join(where, 'package-lock.json'), 'utf8');
  if (lock(app) === lock(folder)) {
    symlinkSync(join(app, 'node_modules'), join(folder, 'node_modules'));
    return;
  }
  note('other packages: npm ci');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'ignore', env: withPrograms(app) });
}

/** Builds what is checked out in `folder` with its own packages. */
export function build(app: string, folder: string): void {
  const script = [join(folder, 'scripts/build.ts'), '--if-stale'];
  const { status } = spawnSync(join(app, 'node_modules/.bin/node'), script, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: withPrograms(folder),
  });
  if (status !== 0) throw new Error(`${folder} was not built`);
}

const withPrograms = (folder: string): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${join(folder, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
});
