import { stdout } from 'node:process';

import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { z } from 'zod';

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

/** Holds what the command line says against a schema. @throws Error that says what is wrong */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new Error(
    parsed.error.issues
      .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
      .join('\n'),
  );
}
