import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

import { expect } from 'vitest';

import { highLimits } from './high-limits.js';

const main = resolve(import.meta.dirname, '../../dist/apps/api/src/main.js');

export type Ended = { readonly code: number | null; readonly output: string };

/** The built service as a process of its own, on a free port. */
export type Process = {
  readonly url: string;
  /** What it wrote to its terminal so far. */
  readonly output: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<Ended>;
};

type Environment = Readonly<Record<string, string>>;

/** Starts a process and waits until it listens. */
export async function spawnGatehouse(environment: Environment): Promise<Process> {
  const { child, output, ended } = launch(environment);
  const url = await Promise.race([listening(child, output), ended.then(() => undefined)]);
  if (url === undefined) throw new Error(`The service did not start:\n${output()}`);
  return { url, output, ended, kill: (signal) => void child.kill(signal) };
}

/**
 * Starts a process whose standard output nobody reads, on a given
 * port, and waits until it is ready.
 */
export async function spawnUnread(port: number, environment: Environment): Promise<Omit<Process, 'output'>> {
  const { child, ended } = launch({ ...environment, PORT: String(port) });
  child.stdout?.removeAllListeners('data').pause();
  const url = `http://127.0.0.1:${port}`;
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(isReady, { timeout: 40_000 }).toBe(true);
  return { url, ended, kill: (signal) => void child.kill(signal) };
}

/** `NODE_OPTIONS` of a process whose clock is off, as that of a machine without NTP. */
export function clockOffBy(milliseconds: number): string {
  const shift = `const now = Date.now; Date.now = () => now() + ${milliseconds};
    globalThis.Date = class extends Date { constructor(...parts) { super(...(parts.length ? parts : [Date.now()])); } };`;
  return `--import=data:text/javascript,${encodeURIComponent(shift)}`;
}

/** Starts a process that is expected to refuse to. */
export async function spawnRefused(environment: Environment): Promise<Ended> {
  const { child, ended } = launch(environment);
  const giveUp = setTimeout(() => child.kill('SIGKILL'), 40_000);
  const result = await ended;
  clearTimeout(giveUp);
  expect(result.code, result.output).toBe(1);
  return result;
}

function launch(environment: Environment): { child: ChildProcess; output: () => string; ended: Promise<Ended> } {
  const { PATH = '', HOME = '' } = process.env;
  // a machine that is busy with other tests is no overload of this service
  const calm = { ...highLimits, MAX_LOOP_DELAY_MS: '0' };
  const child = spawn(process.execPath, ['--max-semi-space-size=16', main], {
    env: { PATH, HOME, PORT: '0', ...calm, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: string[] = [];
  const output = (): string => chunks.join('');
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  }
  const ended = once(child, 'close').then(([code]): Ended => ({ code, output: output() }));
  return { child, output, ended };
}

function listening(child: ChildProcess, output: () => string): Promise<string> {
  return new Promise((resolve) => {
    child.stdout?.on('data', () => {
      const url = /"url":"([^"]+)"/.exec(output())?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}
