import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { StretchTask } from './stretch.worker.js';

// beside this file; `.ts` when the sources run as they are
const worker = new URL(`stretch.worker${extname(import.meta.url)}`, import.meta.url);

/**
 * Hashes over and over, where there is no native code for it. A thread for each: rare, short-lived, and as long a
 * computation as none that may hold the event loop.
 * @returns as the format writes it
 */
export async function stretchApart(task: StretchTask): Promise<string> {
  const thread = new Worker(worker, { workerData: task, execArgv: [], stdout: false });
  const [made]: unknown[] = await once(thread, 'message');
  return String(made);
}
