import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { loadConfig } from '#libs/platform/config';
import { loadMasterKey } from '#libs/platform/crypto';
import { createLogger } from '#libs/platform/logging';

import { createApp } from '../../apps/api/src/create-app.js';
import { type Api, createApi } from './api.js';
import { copyDatabase, type OwnDatabase } from './copy-database.js';
import { highLimits } from './high-limits.js';
import { admin } from './people.js';

export type Gatehouse = {
  readonly app: NestFastifyApplication;
  readonly url: string;
  readonly api: Api;
  /** What was logged so far, a parsed line each. */
  readonly log: readonly Record<string, unknown>[];
  readonly stop: () => Promise<void>;
};

/**
 * The whole service in this process, listening, on a copy of the empty
 * database or on one that is given.
 */
export async function startGatehouse(environment: Record<string, string> = {}, own?: OwnDatabase): Promise<Gatehouse> {
  const database = own ?? (await copyDatabase());
  const config = loadConfig({
    ...database.environment,
    PORT: '0',
    PUBLIC_URL: 'http://gatehouse.test',
    ADMIN_PASSWORD: admin.password,
    ...highLimits,
    // a machine that is busy with other tests is no overload of this service
    MAX_LOOP_DELAY_MS: '0',
    ...environment,
  });
  const log: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void log.push(JSON.parse(line)) };
  const logger = createLogger({ level: 'debug', isTerminal: false, destination });
  const { app } = await createApp(config, loadMasterKey(config).key, logger);
  await app.listen(config.PORT, '127.0.0.1');
  const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  const stop = async (): Promise<void> => {
    await app.close();
    if (!own) await database.drop();
  };
  return { app, url, api: await createApi(url), log, stop };
}
