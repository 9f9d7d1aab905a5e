import { randomBytes } from 'node:crypto';

import pg from 'pg';
import { inject } from 'vitest';

export type EmptyDatabase = { readonly url: string; readonly drop: () => Promise<void> };

/** A PostgreSQL database without a schema; `options` are those of `create database`. */
export async function emptyDatabase(options = ''): Promise<EmptyDatabase> {
  const name = `gatehouse_empty_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query(`create database ${name} ${options}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = name;
  const drop = async (): Promise<void> => {
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  };
  return { url: url.href, drop };
}
