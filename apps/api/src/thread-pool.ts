import { availableParallelism } from 'node:os';
import { env } from 'node:process';

/**
 * Password hashes take a thread for each core, pictures one for every four; files and name look-ups need some too, or
 * they wait for those.
 */
const sparedThreads = 2;

const cores = availableParallelism();

// libuv reads this when it first needs a thread, so it is imported before anything else; Node's own default is 4
env['UV_THREADPOOL_SIZE'] ??= String(Math.max(4, cores + Math.ceil(cores / 4) + sparedThreads));
