import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import type { Config } from '#libs/platform/config';
import { Draining } from '#libs/platform/http';
import type { Log } from '#libs/platform/logging';

/** Requests that take longer are cut off, so that the stop ends before an orchestrator kills us. */
const forceCloseAfterMs = 10_000;
const flushMs = 2_000;

type Stoppable = {
  readonly app: NestFastifyApplication;
  readonly config: Config;
  readonly log: Log;
  /** Sends the spans that have not been sent yet. */
  readonly flushTraces: (() => Promise<void>) | undefined;
};

/**
 * Stops gracefully on SIGTERM and SIGINT. Readiness turns red at once; for `DRAIN_DELAY_SECONDS`
 * requests are served while balancers notice; then the port closes, requests in flight finish, and
 * the database closes. Before the service runs, and at a second signal, the process just ends: as
 * PID 1 it would not react to signals by itself.
 * @returns a function that takes the service when it runs
 */
export function stopOnSignals(): (running: Stoppable) => void {
  let running: Stoppable | undefined;
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      if (!running || isStopping) process.exit(isStopping ? 1 : 0);
      isStopping = true;
      const { log } = running;
      stop(running, signal).catch((error: unknown) => {
        log.error({ err: error }, 'could not stop cleanly');
        process.exit(1);
      });
    });
  }
  return (started) => {
    running = started;
  };
}

async function stop({ app, config, log, flushTraces }: Stoppable, signal: string): Promise<never> {
  log.info({ signal, drainSeconds: config.DRAIN_DELAY_SECONDS }, 'stopping');
  app.get(Draining).begin();
  await sleep(config.DRAIN_DELAY_SECONDS * 1_000);
  const giveUp = setTimeout(() => app.getHttpServer().closeAllConnections(), forceCloseAfterMs);
  await app.close();
  clearTimeout(giveUp);
  // A collector that does not answer must not keep the process.
  await Promise.race([flushTraces?.().catch(() => undefined), sleep(flushMs)]);
  log.info('stopped');
  process.exit(0);
}
