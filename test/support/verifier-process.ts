import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

import type { VerifierOptions } from '#verifier';

import { clockOffBy } from './spawn-gatehouse.js';

export type VerifierProcess = {
  /** `accepted`, or the code of the refusal. One token at a time. */
  readonly verdict: (token: string) => Promise<string>;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly stop: () => Promise<void>;
};

/** A service with a verifier, in a process whose clock is off; ready when this resolves. */
export async function startVerifierProcess(
  clockOffMs: number,
  options: Omit<VerifierOptions, 'fetch' | 'revocations'>,
): Promise<VerifierProcess> {
  const { PATH = '', HOME = '' } = process.env;
  const child = fork(resolve(import.meta.dirname, 'verifying-process.ts'), [JSON.stringify(options)], {
    execArgv: [],
    env: { PATH, HOME, NODE_OPTIONS: clockOffBy(clockOffMs) },
  });
  const exited = once(child, 'exit');
  const answer = async (): Promise<string> => {
    const message = await Promise.race([once(child, 'message').then(([message]) => String(message)), exited]);
    if (typeof message === 'string') return message;
    throw new Error(`The verifier's process ended with ${message[0]}`);
  };
  await answer();
  return {
    verdict: (token) => {
      const verdict = answer();
      child.send(token);
      return verdict;
    },
    kill: (signal) => void child.kill(signal),
    stop: async () => {
      child.disconnect();
      await exited;
    },
  };
}
