import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { note } from './table.ts';
import { pin } from './process-usage.ts';

/** A database of the run's own. */
export type Database = {
  readonly url: string;
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Binds PostgreSQL's processes that serve this database to a core. */
  pinBackends(cpu: string): Promise<void>;
  drop(): Promise<void>;
};

/** Makes a database on a server; `drop` it at the end. */
export async function createDatabase(serverUrl: string): Promise<Database> {
  const name = `gatehouse_bench_${randomBytes(4).toString('hex')}`;
  const server = await connect(serverUrl);
  await server.query(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const own = await connect(url.href);
  return {
    url: url.href,
    query: async (text, values = []) => (await own.query(text, [...values])).rows,
    pinBackends: async (cpu) => pinAll(await backendsOf(server, name), cpu),
    drop: async () => {
      await own.end();
      await server.query(`drop database ${name} with (force)`);
      await server.end();
    },
  };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'bench' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function backendsOf(server: pg.Client, database: string): Promise<number[]> {
  const { rows } = await server.query<{ pid: number }>('select pid from pg_stat_activity where datname = $1', [
    database,
  ]);
  return rows.map(({ pid }) => pid);
}

function pinAll(pids: readonly number[], cpu: string): void {
  try {
    for (const pid of pids) pin(pid, cpu);
  } catch {
    note('PostgreSQL could not be pinned: it runs elsewhere, or as somebody else');
  }
}
