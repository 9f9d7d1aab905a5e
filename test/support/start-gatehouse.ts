import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import { inject } from 'vitest';

import { loadConfig } from '#libs/platform/config';
import { loadMasterKey } from '#libs/platform/crypto';
import { createLogger } from '#libs/platform/logging';

import { createApp } from '../../apps/api/src/create-app.js';
import { type Api, createApi } from './api.js';
import { highLimits } from './high-limits.js';

export type Gatehouse = {
  readonly app: NestFastifyApplication;
  readonly url: string;
  readonly api: Api;
  /** What was logged so far, a parsed line each. */
  readonly log: readonly Record<string, unknown>[];
  readonly stop: () => Promise<void>;
};

export const admin = { userName: 'admin', password: 'tin whistle at dawn' };

/** Where a test file's own copy of the empty database is. */
export type OwnDatabase = { readonly environment: Record<string, string>; readonly drop: () => Promise<void> };

/** A copy of the empty database of the project that runs: a folder for PGlite, a database for PostgreSQL. */
export async function copyDatabase(): Promise<OwnDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  const template = inject('template');
  if (inject('database') === 'pglite') {
    cpSync(join(template, 'pglite'), join(folder, 'pglite'), { recursive: true });
    return { environment: { DATA_DIR: folder }, drop: async () => removeFolder() };
  }
  const name = `gatehouse_test_${randomBytes(6).toString('hex')}`;
  await asAdmin(`create database ${name} template ${template}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = name;
  return {
    environment: { DATABASE_URL: url.href, DATA_DIR: folder },
    drop: async () => {
      await asAdmin(`drop database if exists ${name} with (force)`);
      removeFolder();
    },
  };
}

/** The whole service in this process, listening, on a copy of the empty database or on one that is given. */
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

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
