import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const main = resolve(import.meta.dirname, '../../dist/apps/sidecar/src/main.js');

export type SidecarProcess = {
  readonly url: string;
  /** What it logged so far, a parsed line each. */
  readonly log: readonly Record<string, unknown>[];
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>;
};

/** The built sidecar as a process of its own, on a free port; it listens, or has ended. */
export async function startSidecar(environment: Readonly<Record<string, string>>): Promise<SidecarProcess> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [main], {
    env: { PATH, HOME, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: Record<string, unknown>[] = [];
  const { promise: listening, resolve: listens } = Promise.withResolvers<number>();
  let [pending, errors] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (pending + chunk).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) {
      const entry = JSON.parse(line);
      log.push(entry);
      if (entry.event === 'the sidecar listens') listens(entry.port);
    }
  });
  const ended = once(child, 'close').then(([code]) => ({ code, errors }));
  const port = await Promise.race([listening, ended.then(() => 0)]);
  return { url: `http://127.0.0.1:${port}`, log, kill: (signal) => void child.kill(signal), ended };
}
