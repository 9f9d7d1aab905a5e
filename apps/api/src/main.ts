import { enableCompileCache } from 'node:module';
import { availableParallelism } from 'node:os';
import { env, umask } from 'node:process';

// libuv reads this when it first needs a thread. Password hashes take a thread for each core,
// pictures one for every four; two more keep files and name look-ups from waiting for those.
const cores = availableParallelism();
env['UV_THREADPOOL_SIZE'] ??= String(Math.max(4, cores + Math.ceil(cores / 4) + 2));
// Files that the process writes are for its user only.
umask(0o077);
// The next start reuses what V8 has compiled, and takes a quarter less. A read-only disk is fine.
enableCompileCache();

const { startTraces, wantsTraces } = await import('./process/tracing.js');
// Traces must start before anything loads Fastify. Without them nothing of OpenTelemetry is loaded.
const flushTraces = wantsTraces(env) ? await startTraces() : undefined;
const { start } = await import('./start.js');
await start(flushTraces);
