import 'reflect-metadata';
import { env, exit, stderr, stdout } from 'node:process';

import { ConfigError, findMisspelt, loadConfig } from '#libs/platform/config';
import { loadMasterKey, WrongMasterKeyError } from '#libs/platform/crypto';
import { ConnectionError, DataDirInUseError, DeafConnectionError } from '#libs/platform/database';
import { createLogger } from '#libs/platform/logging';
import { firstAdminPasswordFile } from '#libs/users';

import { createApp } from './create-app.js';
import { renderFirstScreen } from './process/first-screen.js';
import { stopOnSignals } from './process/stop-on-signals.js';

const startedAt = performance.now();

async function main(flushTraces: FlushTraces): Promise<void> {
  const handOver = stopOnSignals();
  const config = loadConfig(env);
  const isTerminal = stdout.isTTY;
  const log = createLogger({ level: config.LOG_LEVEL, isTerminal });
  for (const { name, meant } of findMisspelt(Object.keys(env))) {
    log.warn({ variable: name }, `${name} is not a variable of ours: did you mean ${meant}?`);
  }
  const masterKey = loadMasterKey(config);
  const { app, madeAdmin } = await createApp(config, masterKey.key, log);
  handOver({ app, config, log, flushTraces });
  await app.listen(config.PORT, config.HOST);
  const startMs = Math.round(performance.now() - startedAt);
  if (isTerminal || madeAdmin || firstAdminPasswordFile(config.DATA_DIR)) {
    const started = { config, origin: masterKey.origin, madeAdmin, isTerminal: stderr.isTTY, startMs };
    stderr.write(renderFirstScreen(started));
  }
  log.info({ url: await app.getUrl(), startMs }, 'listening');
}

type FlushTraces = (() => Promise<void>) | undefined;

/** Runs the service; ends the process, with a reason on standard error, when it cannot start. */
export async function start(flushTraces: FlushTraces): Promise<void> {
  try {
    await main(flushTraces);
  } catch (error) {
    stderr.write(`${explain(error)}\n`);
    exit(1);
  }
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return `${error.message}\n.env.example tells what each variable means.`;
  if (error instanceof WrongMasterKeyError) {
    return `MASTER_KEY does not fit this database: ${error.message}.\nStart with the key that it was made with, or with an empty database.`;
  }
  if (error instanceof DataDirInUseError || error instanceof DeafConnectionError) return error.message;
  if (error instanceof ConnectionError) return `Gatehouse could not start: ${error.message}.`;
  if (!(error instanceof Error)) return String(error);
  return `Gatehouse could not start: ${error.stack ?? error.message}`;
}
