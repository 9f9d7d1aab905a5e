import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Options } from './options.ts';
import { note } from './table.ts';

export const adminPassword = 'bench-Administrator-7391';
/** Tokens name their issuer: all servers of a run go by one name, wherever they listen. */
export const publicUrl = 'http://gatehouse.bench';
export const masterKey = Buffer.alloc(32, 7).toString('base64');
/**
 * High enough to be out of the way, so that the limiter's work is
 * measured and its refusals are not.
 */
const highLimit = '1000000';
const limits = ['IP', 'USER'].flatMap((who) =>
  ['READ', 'WRITE', 'LOGIN', 'HASH', 'UPLOAD'].map((what) => [`RATE_LIMIT_${who}_${what}`, highLimit]),
);

export type Server = {
  readonly port: number;
  readonly pid: number;
  readonly url: string;
  /** From the start of the process to the first 200 of its readiness. */
  readonly readyMs: number;
  readonly logFile: string;
  hasExited(): boolean;
  stop(): Promise<void>;
};

type Start = {
  readonly databaseUrl: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeFlags?: readonly string[];
  /** Not bound to the server's core: for preparations. */
  readonly cpu?: string;
  /** A free one if absent. */
  readonly port?: number;
  /** What must answer 200 before the start counts as done; `/health/ready` if absent. */
  readonly readyPath?: string;
};

/** A machine that is busy with other things takes its time. */
const startsWithinMs = 180_000;

/** A run that ends early leaves no server behind. */
const running = new Map<ChildProcess, string>();
process.on('exit', () => {
  for (const [child, folder] of running) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});

/**
 * Starts a replica of Gatehouse as `npm start` would, with its log in a
 * file, and waits until it is ready.
 */
export async function startReplica(
  options: Options,
  { databaseUrl, env, nodeFlags = [], cpu, port, readyPath = '/health/ready' }: Start,
): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  return startServer({
    command: [
      join(options.app, 'node_modules/.bin/node'),
      ...options.nodeFlags,
      ...nodeFlags,
      'dist/apps/api/src/main.js',
    ],
    cwd: options.app,
    cpu: cpu ?? options.serverCpu,
    readyPath,
    folder,
    port,
    env: {
      NODE_ENV: 'development',
      MALLOC_ARENA_MAX: '2',
      LOG_LEVEL: 'info',
      DATABASE_URL: databaseUrl,
      DATA_DIR: folder,
      MASTER_KEY: masterKey,
      ADMIN_PASSWORD: adminPassword,
      PUBLIC_URL: publicUrl,
      ACCESS_TOKEN_TTL_SECONDS: '3600',
      // all load comes from one address
      MAX_CONNECTIONS_PER_ADDRESS: '10000',
      ...Object.fromEntries(limits),
      ...env,
    },
  });
}

/** Starts the bare Fastify server of `floor/`. */
export async function startFloor(
  options: Options,
  { databaseUrl, env, script = 'floor/server.ts' }: Start & { readonly script?: string },
): Promise<Server> {
  return startServer({
    command: [process.execPath, script],
    cwd: import.meta.dirname.replace(/\/lib$/, ''),
    cpu: options.serverCpu,
    readyPath: '/ready',
    folder: mkdtempSync(join(tmpdir(), 'gatehouse-floor-')),
    env: { DATABASE_URL: databaseUrl, ISSUER: publicUrl, AUDIENCE: publicUrl, ...env },
  });
}

type Command = {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly cpu: string;
  readonly readyPath: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly port?: number | undefined;
};

async function startServer({ command, cwd, cpu, readyPath, folder, env, ...given }: Command): Promise<Server> {
  const port = given.port ?? (await freePort());
  const logFile = join(folder, 'server.log');
  const log = openSync(logFile, 'a');
  const startedAt = performance.now();
  const child = spawn('taskset', ['-c', cpu, ...command], {
    cwd,
    stdio: ['ignore', log, log],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: String(port), HOST: '127.0.0.1', ...env },
  });
  running.set(child, folder);
  child.on('exit', () => running.delete(child));
  const url = `http://127.0.0.1:${port}`;
  await untilReady(child, url + readyPath, logFile);
  return {
    port,
    pid: child.pid ?? 0,
    url,
    readyMs: performance.now() - startedAt,
    logFile,
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    stop: () => stop(child, folder),
  };
}

async function untilReady(child: ChildProcess, url: string, logFile: string): Promise<void> {
  const deadline = performance.now() + startsWithinMs;
  for (;;) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`The server did not start:\n${readFileSync(logFile, 'utf8').slice(-4_000)}`);
    }
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await sleep(5);
  }
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    note(`THE SERVER HAD ENDED BY ITSELF: see ${join(folder, 'server.log')}`);
    return;
  }
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await once(child, 'exit');
  clearTimeout(timer);
  rmSync(folder, { recursive: true, force: true });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
