import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import type { Config } from '#libs/platform/config';
import { Draining } from '#libs/platform/http';
import type { Log } from '#libs/platform/logging';

/** Requests in flight that take longer than this are cut off, so that a stop ends before an orchestrator kills us. */
const patienceMs = 10_000;

/**
 * Stops gracefully on SIGTERM and SIGINT: ready turns red at once, requests are served for `DRAIN_DELAY_SECONDS` while
 * balancers notice, then the port closes, requests in flight finish, and the database closes. A second signal ends at once.
 */
export function stopOnSignals(app: NestFastifyApplication, config: Config, log: Log): void {
  let isStopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (isStopping) process.exit(1);
    isStopping = true;
    log.info({ signal, drainSeconds: config.DRAIN_DELAY_SECONDS }, 'stopping');
    app.get(Draining).begin();
    await sleep(config.DRAIN_DELAY_SECONDS * 1_000);
    const giveUp = setTimeout(() => app.getHttpServer().closeAllConnections(), patienceMs);
    await app.close();
    clearTimeout(giveUp);
    log.info('stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      stop(signal).catch((error: unknown) => {
        log.error({ err: error }, 'could not stop cleanly');
        process.exit(1);
      });
    });
  }
}
