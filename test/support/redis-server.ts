import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { createClient } from '@redis/client';

import { freePort } from './free-port.js';

export type RedisServer = { readonly url: string; readonly stop: () => Promise<void> };

/**
 * A Redis for tests: one of our own where `redis-server` is on the PATH, else the one at
 * `REDIS_TEST_URL` or on its usual port. No package on npm brings one that works offline: so
 * without any, absent, and a line says so.
 */
export async function startRedis(): Promise<RedisServer | undefined> {
  const isInstalled = spawnSync('redis-server', ['--version']).status === 0;
  if (isInstalled) return spawnRedis();
  const url = process.env['REDIS_TEST_URL'] ?? 'redis://127.0.0.1:6379';
  if (await answers(url)) return { url, stop: async () => undefined };
  console.warn('skipped, because no Redis at REDIS_TEST_URL/127.0.0.1:6379 and no redis-server on PATH');
  return undefined;
}

async function spawnRedis(): Promise<RedisServer> {
  const port = await freePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', options, { stdio: 'ignore' });
  const url = `redis://127.0.0.1:${port}`;
  for (let attempt = 0; !(await answers(url)); attempt++) {
    if (attempt === 200) throw new Error('redis-server did not start');
    await sleep(25);
  }
  const stop = async (): Promise<void> => {
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  };
  return { url, stop };
}

async function answers(url: string): Promise<boolean> {
  const client = createClient({ url, socket: { connectTimeout: 1_000, reconnectStrategy: false } });
  client.on('error', () => undefined);
  try {
    await client.connect();
    client.destroy();
    return true;
  } catch {
    return false;
  }
}
