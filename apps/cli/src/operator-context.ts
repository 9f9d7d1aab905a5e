import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { loadConfig } from '#libs/platform/config';
import { loadMasterKey } from '#libs/platform/crypto';
import { ReplicaNotifications } from '#libs/platform/database';
import { createLogger, NestLogger } from '#libs/platform/logging';

import { CliModule } from './cli.module.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Runs a command with the service's own parts, without its HTTP server, beside running replicas. */
export async function withContext<T>(
  environment: Environment,
  work: (context: INestApplicationContext) => Promise<T>,
): Promise<T> {
  const config = loadConfig(environment);
  const log = createLogger({ level: 'warn', isTerminal: false });
  const module = CliModule.forRoot(config, loadMasterKey(config).key);
  const context = await NestFactory.createApplicationContext(module, {
    logger: new NestLogger(log),
    abortOnError: false,
  });
  try {
    await context.get(ReplicaNotifications).start();
    return await work(context);
  } finally {
    await context.close();
  }
}
