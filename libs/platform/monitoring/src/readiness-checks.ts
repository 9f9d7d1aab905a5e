import { setTimeout as sleep } from 'node:timers/promises';

import { Injectable, Logger } from '@nestjs/common';

/** `ageMs`: how long ago the answer was found. */
export type CheckState = { readonly name: string; readonly isUp: boolean; readonly ageMs: number };

/** Whether a part can serve. */
type Ask = () => boolean | Promise<boolean>;

type Check = {
  readonly name: string;
  readonly ask: Ask;
  isUp: boolean | undefined;
  foundAtMs: number;
  /** Whether it answers with a promise, and so costs more than a look into memory. */
  isSlow: boolean;
  /** Shared by all probes that come while the answer is awaited. */
  pending: Promise<void> | undefined;
};

/** Upper bound: however many probes come, the database is asked once a second. */
const freshMs = 1_000;
const timeoutMs = 2_000;
const logger = new Logger('Readiness');

/**
 * What this process needs to serve requests; each part registers its own check. A check that
 * answers at once is asked at every probe, one that returns a promise at most once a second. A
 * check that throws, or takes more than 2 s, is down.
 */
@Injectable()
export class ReadinessChecks {
  readonly #checks = new Map<string, Check>();

  /** Call in `onModuleInit`. @throws when the name is taken */
  register(name: string, ask: Ask): void {
    if (this.#checks.has(name)) throw new Error(`The readiness check ${name} is registered twice`);
    this.#checks.set(name, { name, ask, isUp: undefined, foundAtMs: -Infinity, isSlow: false, pending: undefined });
  }

  /** The state of every check, at most a second old. Takes at most 2 s, also when a check hangs. */
  async states(): Promise<readonly CheckState[]> {
    for (const pending of Array.from(this.#checks.values(), refresh)) await pending;
    const now = performance.now();
    return Array.from(this.#checks, ([name, { isUp, foundAtMs }]) => ({
      name,
      isUp: isUp === true,
      ageMs: Math.round(now - foundAtMs),
    }));
  }
}

function refresh(check: Check): Promise<void> | undefined {
  if (check.pending) return check.pending;
  if (check.isSlow && performance.now() - check.foundAtMs < freshMs) return undefined;
  const answer = ask(check);
  check.isSlow = typeof answer !== 'boolean';
  if (typeof answer === 'boolean') {
    settle(check, answer);
    return undefined;
  }
  check.pending = inTime(answer).then((isUp) => {
    settle(check, isUp);
    check.pending = undefined;
  });
  return check.pending;
}

function ask({ ask: question }: Check): boolean | Promise<boolean> {
  try {
    return question();
  } catch {
    return false;
  }
}

/** Logs each change: while the database is lost, nobody can sign in to see the details. */
function settle(check: Check, isUp: boolean): void {
  if (!isUp && check.isUp !== false) logger.warn({ check: check.name, event: 'down' });
  if (isUp && check.isUp === false) logger.log({ check: check.name, event: 'up again' });
  check.isUp = isUp;
  check.foundAtMs = performance.now();
}

function inTime(answer: Promise<boolean>): Promise<boolean> {
  const settled = new AbortController();
  const late = sleep(timeoutMs, false, { signal: settled.signal, ref: false }).catch(() => false);
  return Promise.race([answer.catch(() => false), late]).finally(() => settled.abort());
}
