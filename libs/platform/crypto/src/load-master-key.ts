import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { MasterKey } from './master-key.js';

export type LoadedMasterKey = { readonly key: MasterKey; readonly origin: 'configured' | 'read' | 'made' };

/**
 * The master key from the configuration, else from `DATA_DIR/master.key`, which is made when absent:
 * the folder with mode 0700, the file with 0600.
 * @param configured 32 bytes in base64
 */
export function loadMasterKey(configured: string | undefined, dataDir: string): LoadedMasterKey {
  if (configured) return { key: new MasterKey(Buffer.from(configured, 'base64')), origin: 'configured' };
  const path = join(dataDir, 'master.key');
  ensurePrivateFolder(dataDir);
  try {
    // 'wx' fails if the file exists, so that two processes cannot each make one
    writeFileSync(path, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
    return { key: readKey(path), origin: 'made' };
  } catch (error) {
    if (!isExisting(error)) throw error;
    return { key: readKey(path), origin: 'read' };
  }
}

function ensurePrivateFolder(path: string): void {
  if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(path, 0o700);
}

function readKey(path: string): MasterKey {
  const bytes = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64');
  if (bytes.length !== 32) throw new Error(`${path} does not hold a master key (32 bytes in base64)`);
  return new MasterKey(bytes);
}

const isExisting = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';
