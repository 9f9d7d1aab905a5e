/**
 * Fills a migrated PostgreSQL database with generated users, for
 * measurements by hand. See README.md.
 */
import { parseArgs } from 'node:util';

import pg from 'pg';

import { fillUsers } from './lib/fill-users.ts';
import { note } from './lib/table.ts';

const { values } = parseArgs({
  options: { database: { type: 'string' }, users: { type: 'string', default: '10000' }, hash: { type: 'string' } },
});
if (values.database === undefined) throw new Error('name the database to fill: --database postgres://…/name');
const client = new pg.Client({ connectionString: values.database });
await client.connect();
const startedAt = performance.now();
const query = async (text: string, parameters: readonly unknown[] = []) =>
  (await client.query(text, [...parameters])).rows;
// without a hash that is one, nobody of them can sign in
await fillUsers({ query }, Number(values.users), values.hash ?? 'none');
note(`${values.users} users in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
await client.end();
