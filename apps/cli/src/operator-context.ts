import { stdout } from 'node:process';

import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { loadConfig } from '#libs/platform/config';
import { loadMasterKey } from '#libs/platform/crypto';
import { ReplicaNotifications } from '#libs/platform/database';
import { createLogger, NestLogger } from '#libs/platform/logging';

import { CliModule } from './cli.module.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Runs `work` with the parts of the service, without its HTTP server. Replicas may run on. */
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

/** Makes the action of a command: `work` gets the context before what the command line says. */
export const inContext =
  (environment: Environment) =>
  <Given extends readonly unknown[]>(work: (context: INestApplicationContext, ...given: Given) => Promise<void>) =>
  (...given: Given): Promise<void> =>
    withContext(environment, (context) => work(context, ...given));

export const print = (text: string): void => void stdout.write(`${text}\n`);
