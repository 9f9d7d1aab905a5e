import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { MasterKey } from './sealing-key.js';
import { ensurePrivateFolder } from './private-folder.js';

export type LoadedMasterKey = { readonly key: MasterKey; readonly origin: 'configured' | 'read' | 'made' };

type Where = {
  readonly MASTER_KEY?: string | undefined;
  readonly MASTER_KEY_PREVIOUS?: string | undefined;
  readonly DATA_DIR: string;
};

/**
 * The master key from the configuration, else from `DATA_DIR/master.key`, which is made when
 * absent: the folder with mode 0700, the file with 0600.
 */
export function loadMasterKey({ MASTER_KEY, MASTER_KEY_PREVIOUS, DATA_DIR }: Where): LoadedMasterKey {
  const previous = MASTER_KEY_PREVIOUS ? new MasterKey(fromBase64(MASTER_KEY_PREVIOUS)) : undefined;
  if (MASTER_KEY) return { key: new MasterKey(fromBase64(MASTER_KEY), previous), origin: 'configured' };
  const path = join(DATA_DIR, 'master.key');
  ensurePrivateFolder(DATA_DIR);
  try {
    // 'wx' fails if the file exists, so that two processes cannot each make one
    writeFileSync(path, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
    return { key: readKey(path, previous), origin: 'made' };
  } catch (error) {
    if (!isExisting(error)) throw error;
    return { key: readKey(path, previous), origin: 'read' };
  }
}

function readKey(path: string, previous: MasterKey | undefined): MasterKey {
  const bytes = fromBase64(readFileSync(path, 'utf8').trim());
  if (bytes.length !== 32) throw new Error(`${path} does not hold a master key (32 bytes in base64)`);
  return new MasterKey(bytes, previous);
}

const fromBase64 = (text: string): Buffer => Buffer.from(text, 'base64');

const isExisting = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';
