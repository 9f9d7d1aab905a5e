import { spawnSync } from 'node:child_process';
import { existsSync, globSync, statSync } from 'node:fs';

/** Builds when a source is newer than the last build: looking takes 10 ms, building 0.6 s. */
const built = 'dist/apps/api/src/main.js';
const sources = ['.swcrc', 'package-lock.json', ...globSync('{apps,libs}/**/*.ts')];
const builtAtMs = existsSync(built) ? statSync(built).mtimeMs : 0;
const isGone = (output: string): boolean => !existsSync(output.replace(/^dist\//, '').replace(/\.js$/, '.ts'));

if (sources.some((path) => statSync(path).mtimeMs > builtAtMs) || globSync('dist/**/*.js').some(isGone)) {
  const { status } = spawnSync('swc', ['apps', 'libs', '-d', 'dist', '-D', '--config-file', '.swcrc', '-q'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  process.exitCode = status ?? 1;
}
