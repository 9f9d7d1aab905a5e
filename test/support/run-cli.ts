import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const main = resolve(import.meta.dirname, '../../dist/apps/cli/src/main.js');

export type Run = {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
};

/** An operator's command as a process of its own. */
export function startCli(environment: Readonly<Record<string, string>>, ...parameters: readonly string[]): Run {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [main, ...parameters], { env: { PATH, HOME, ...environment } });
  const [out, err]: string[][] = [[], []];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => out?.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => err?.push(chunk));
  const ended = once(child, 'close').then(([code]) => ({ code, out: out?.join('') ?? '', err: err?.join('') ?? '' }));
  return { child, ended };
}

/** Runs a command to its end. */
export const runCli = (environment: Readonly<Record<string, string>>, ...parameters: readonly string[]): Run['ended'] =>
  startCli(environment, ...parameters).ended;
