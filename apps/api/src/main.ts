import { enableCompileCache } from 'node:module';
import { env, umask } from 'node:process';

// Files that the process writes are for its user only.
umask(0o077);
// The next start reuses what V8 has compiled, and takes a quarter less. A read-only disk is fine.
enableCompileCache();
// libuv reads this when it first needs a thread, which loading a module does not. Password hashes
// take a thread for each core, pictures one for every four; two more keep files and name look-ups
// from waiting for those.
const { usableCores } = await import('#libs/platform/queues');
const cores = usableCores();
env['UV_THREADPOOL_SIZE'] ??= String(Math.max(4, cores + Math.ceil(cores / 4) + 2));

const { startTraces, wantsTraces } = await import('./process/tracing.js');
// Traces must start before anything loads Fastify. Without them nothing of OpenTelemetry is loaded.
const flushTraces = wantsTraces(env) ? await startTraces() : undefined;
const { start } = await import('./start.js');
await start(flushTraces);
