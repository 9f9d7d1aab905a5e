import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, rmSync, statSync } from 'node:fs';

/** Files that the code reads at run time. A relative URL finds them from source and from dist. */
const assets = globSync('{apps,libs}/**/{pages,data}/*.*');

/**
 * Builds into dist; with `--if-stale` only when a source is newer than the last build. With
 * `--without-bundle` the programs stay in their own files, whose lines a stack trace names.
 */
if (!process.argv.includes('--if-stale') || isStale()) {
  rmSync('dist', { recursive: true, force: true });
  const { status } = spawnSync(
    'swc',
    ['apps', 'libs', 'packages/verifier/src', '-d', 'dist', '--config-file', '.swcrc', '-q'],
    {
      stdio: 'inherit',
      shell: process.platform === 'win32',
    },
  );
  for (const path of assets) cpSync(path, `dist/${path}`);
  if (status === 0 && !process.argv.includes('--without-bundle')) await (await import('./bundle.ts')).bundle();
  process.exitCode = status ?? 1;
}

function isStale(): boolean {
  const built = 'dist/apps/api/src/main.js';
  if (!existsSync(built)) return true;
  const builtAtMs = statSync(built).mtimeMs;
  const sources = [
    '.swcrc',
    'scripts/bundle.ts',
    ...globSync(['{apps,libs}/**/*.ts', 'packages/*/src/**/*.ts']),
    ...assets,
  ];
  return (
    sources.some((path) => statSync(path).mtimeMs > builtAtMs) ||
    globSync('dist/{apps,libs,packages}/**/*.*').some(isGone)
  );
}

/** Whether an output is left of a source that is no more. */
function isGone(output: string): boolean {
  const source = output.replace(/^dist[/\\]/, '').replace(/\.map$/, '');
  return !existsSync(source) && !existsSync(source.replace(/\.js$/, '.ts'));
}
