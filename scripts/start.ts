import { spawnSync } from 'node:child_process';

/**
 * Becomes the service, with what the image sets too: glibc keeps for each thread what the decoding of pictures freed on
 * it, 904 MB after the worst files instead of 507 (bench/hostile-images.ts), and reads this at the start of a process only.
 */
const env = { MALLOC_ARENA_MAX: '2', ...process.env };
const flags = ['--max-semi-space-size=16', 'dist/apps/api/src/main.js', ...process.argv.slice(2)];
if (process.execve) process.execve(process.execPath, [process.execPath, ...flags], env);
else process.exitCode = spawnSync(process.execPath, flags, { env, stdio: 'inherit' }).status ?? 1;
