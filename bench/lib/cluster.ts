import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { freePort } from './replica.ts';

/**
 * A PostgreSQL cluster of the run's own, with the tools of its
 * installation: dumps, restores, standbys.
 */
export type Cluster = {
  readonly port: number;
  /** Of its superuser, over TCP. */
  readonly url: string;
  sql<Row extends pg.QueryResultRow>(text: string, database?: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Dumps a database of this cluster into one of the same name of another. */
  copyDatabaseTo(target: Cluster, name: string, owner: string): void;
  /** A streaming standby of this cluster. */
  standby(): Promise<Cluster>;
  /** Of a standby: what the primary commits from now on never comes here. */
  detach(): Promise<void>;
  promote(): Promise<void>;
  /** At once, as a crash. */
  kill(): Promise<void>;
  remove(): Promise<void>;
};

/**
 * Where PostgreSQL's server programs are; npm's package has no `pg_dump` and no `pg_basebackup`.
 */
export function findBinaries(): string {
  const root = '/usr/lib/postgresql';
  const found = existsSync(root) ? readdirSync(root).map((version) => join(root, version, 'bin')) : [];
  const folder = found.toSorted().findLast((bin) => existsSync(join(bin, 'pg_basebackup')));
  if (folder === undefined) throw new Error('This drill needs a PostgreSQL with its tools (Debian: postgresql)');
  return folder;
}

/** PostgreSQL refuses to run as root. */
export function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export function ownFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `gatehouse-${name}-`));
  const { uid, gid } = unprivileged();
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  chmodSync(folder, 0o700);
  return folder;
}

const bin = findBinaries();

function run(program: string, ...parameters: readonly string[]): void {
  const done = spawnSync(join(bin, program), parameters, { ...unprivileged(), cwd: '/', encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${program} failed: ${done.stderr}`);
}

export async function createCluster(): Promise<Cluster> {
  const folder = ownFolder('cluster');
  run('initdb', '-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N');
  const [own, others] = ['host all,replication postgres 127.0.0.1/32 trust', 'host all all 127.0.0.1/32 scram-sha-256'];
  writeFileSync(join(folder, 'data/pg_hba.conf'), `${own}\n${others}\n`);
  return startCluster(folder);
}

async function startCluster(folder: string): Promise<Cluster> {
  const data = join(folder, 'data');
  const port = await freePort();
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'wal_level=replica',
  ];
  const options = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(join(bin, 'postgres'), options, { ...unprivileged(), cwd: '/', stdio: 'ignore' });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const sql: Cluster['sql'] = async <Row extends pg.QueryResultRow>(
    text: string,
    database = 'postgres',
    values: readonly unknown[] = [],
  ): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: url.replace(/postgres$/, database) });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  };
  await untilAnswering(sql);
  return {
    port,
    url,
    sql,
    copyDatabaseTo: (target, name, owner) => {
      const dump = join(folder, 'dump');
      run('pg_dump', '-Fc', '-f', dump, '-p', String(port), '-h', '127.0.0.1', '-U', 'postgres', name);
      const at = ['-p', String(target.port), '-h', '127.0.0.1', '-U', 'postgres'];
      run('createdb', ...at, '-O', owner, name);
      run('pg_restore', '--exit-on-error', '--no-owner', '--role', owner, ...at, '-d', name, dump);
    },
    standby: async () => {
      const other = ownFolder('standby');
      const from = ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres'];
      run('pg_basebackup', ...from, '-D', join(other, 'data'), '-R', '-X', 'stream', '-c', 'fast');
      return startCluster(other);
    },
    detach: async () => {
      await sql("alter system set primary_conninfo = ''");
      await sql('select pg_reload_conf()');
    },
    promote: async () => {
      await sql('select pg_promote(true, 30)');
    },
    kill: () => end(server, 'SIGQUIT'),
    remove: async () => {
      await end(server, 'SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  server.kill(signal);
  await exited;
}

async function untilAnswering(sql: (text: string) => Promise<unknown>): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    try {
      await sql('select 1');
      return;
    } catch {
      await sleep(50);
    }
  }
  throw new Error('PostgreSQL did not start');
}
