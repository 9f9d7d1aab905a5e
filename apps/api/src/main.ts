import { enableCompileCache } from 'node:module';
import { env, umask } from 'node:process';

import './thread-pool.js';

// whatever is written is for this user only
umask(0o077);
// what V8 has compiled is kept for the next start, which is a quarter shorter for it; a read-only disk does no harm
enableCompileCache();
const { startTraces, wantsTraces } = await import('./tracing.js');
// before anything loads Fastify; nothing of OpenTelemetry is even read when nobody asks for it
const flushTraces = wantsTraces(env) ? await startTraces() : undefined;
const { start } = await import('./start.js');
await start(flushTraces);
