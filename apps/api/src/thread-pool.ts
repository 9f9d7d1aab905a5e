import { availableParallelism } from 'node:os';
import { env } from 'node:process';

/** Password hashes take a thread for each core; files and name look-ups need some too, or they wait for the hashes. */
const sparedThreads = 2;

// libuv reads this when it first needs a thread, so it is imported before anything else; Node's own default is 4
env['UV_THREADPOOL_SIZE'] ??= String(Math.max(4, availableParallelism() + sparedThreads));
