import { hash } from 'node:crypto';
import { chmodSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Another process has the embedded database open. */
export class DataDirInUseError extends Error {
  override readonly name = 'DataDirInUseError';
}

/** The longest path that fits a Unix socket address on every platform, less some room. */
const socketPathLimit = 100;

/**
 * Keeps a second process out of a folder. A listening socket is the lock: the kernel frees it when
 * its process dies, however it dies, which a file with a process id cannot promise.
 * @returns a function that gives the folder free
 * @throws DataDirInUseError when another process holds it
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    // also one that is there: nobody else is to read the database
    chmodSync(folder, 0o700);
  } catch {
    // a volume that is mounted may belong to somebody else; its files are ours alone all the same
    // (umask)
  }
  const path = socketPath(realpathSync(folder));
  const server = await listen(path).catch(async (error: unknown) => {
    if (!isInUse(error)) throw error;
    if (await answers(path)) {
      throw new DataDirInUseError(`${folder} is in use by another Gatehouse process: stop it first, or set DATA_DIR`);
    }
    rmSync(path, { force: true });
    return listen(path);
  });
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

function socketPath(folder: string): string {
  const name = `gatehouse-${hash('sha256', folder).slice(0, 16)}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  const inside = join(folder, 'lock.sock');
  return Buffer.byteLength(inside) < socketPathLimit ? inside : join(tmpdir(), `${name}.sock`);
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject).listen(path, () => resolve(server));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
  });
}

const isInUse = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
