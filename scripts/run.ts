import { spawnSync } from 'node:child_process';

/**
 * `npm start`, `npm run cli` and `npm run sidecar`: builds when a source has changed, then becomes
 * the program itself. A signal to npm alone, which is process 1 in many a container, then reaches
 * the program: npm's
 * shell becomes this by `exec`, where it would die of the signal and leave the service running.
 * (What follows `||` in package.json is for Windows, which has no `exec`.)
 */
const programs = {
  api: ['--max-semi-space-size=16', 'dist/apps/api/src/main.js'],
  cli: ['--max-semi-space-size=8', 'dist/apps/cli/src/main.js'],
  sidecar: ['--max-semi-space-size=16', 'dist/apps/sidecar/src/main.js'],
};
const [name = '', ...parameters] = process.argv.slice(2);
const program = Object.entries(programs).find(([known]) => known === name)?.[1];
if (!program) throw new Error(`run.ts takes ${Object.keys(programs).join(', ')}`);

const { status } = spawnSync(process.execPath, ['scripts/build.ts', '--if-stale'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

// glibc keeps for each thread what the decoding of pictures freed on it, 904 MB after the
// worst files instead of 507 (bench/hostile-images.ts), and reads this at the start of a
// process only. The image sets it too.
const env = { MALLOC_ARENA_MAX: '2', ...process.env };
const flags = [...program, ...parameters];
// Node calls `execve` experimental, which is of no use to who starts a service.
process.removeAllListeners('warning');
if (process.execve) process.execve(process.execPath, [process.execPath, ...flags], env);
else process.exitCode = spawnSync(process.execPath, flags, { env, stdio: 'inherit' }).status ?? 1;
