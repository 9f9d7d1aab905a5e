import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import pg from 'pg';
import { inject } from 'vitest';

/** Where a test file's own copy of the empty database is. */
export type OwnDatabase = { readonly environment: Record<string, string>; readonly drop: () => Promise<void> };

/**
 * A copy of the empty database of the project that runs: a folder for
 * PGlite, a database for PostgreSQL.
 */
export async function copyDatabase(): Promise<OwnDatabase> {
  const folder = mkdtempSync(join(inject('copies'), 'gatehouse-'));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  const template = inject('template');
  if (inject('database') === 'pglite') {
    cpSync(join(template, 'pglite'), join(folder, 'pglite'), { recursive: true });
    return { environment: { DATA_DIR: folder }, drop: async () => removeFolder() };
  }
  const name = `${template}_${randomBytes(6).toString('hex')}`;
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

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
