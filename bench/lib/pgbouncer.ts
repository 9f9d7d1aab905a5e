import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ownFolder, unprivileged } from './cluster.ts';
import { freePort } from './replica.ts';

export type PgBouncer = { readonly port: number; stop(): Promise<void> };

const program = '/usr/sbin/pgbouncer';
export const hasPgBouncer = (): boolean => existsSync(program);

/** PgBouncer with its stock settings but for the mode, before a server on this machine. */
export async function startPgBouncer(
  serverPort: number,
  mode: 'session' | 'transaction',
  { user, password }: { readonly user: string; readonly password: string },
): Promise<PgBouncer> {
  const folder = ownFolder('pgbouncer');
  const port = await freePort();
  const file = join(folder, 'pgbouncer.ini');
  const settings = ['listen_addr=127.0.0.1', `listen_port=${port}`, 'unix_socket_dir=', 'auth_type=any'];
  const database = `* = host=127.0.0.1 port=${serverPort} user=${user} password=${password}`;
  writeFileSync(file, ['[databases]', database, '[pgbouncer]', ...settings, `pool_mode=${mode}`, ''].join('\n'));
  const { uid, gid } = unprivileged();
  if (uid !== undefined && gid !== undefined) chownSync(file, uid, gid);
  const child = spawn(program, [file], { ...unprivileged(), cwd: '/', stdio: 'ignore' });
  await untilListening(port);
  return {
    port,
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      child.kill('SIGINT');
      await Promise.race([exited, sleep(2_000).then(() => child.kill('SIGKILL'))]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await sleep(50);
  }
  throw new Error('PgBouncer did not start');
}
