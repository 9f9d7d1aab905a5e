import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { publicUrl } from './replica.ts';

/** What this machine's processes have in common: milliseconds of its monotonic clock. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** What of `@gatehouse/verifier` is used here. */
export type Verifier = {
  ready(): Promise<void>;
  verify(token: string): Promise<{ readonly isStale: boolean }>;
  view(): View;
  on(event: 'reset' | 'stale', listener: () => void): Verifier;
};

export type View = {
  /** Null for what is not known at all: JSON has no Infinity. */
  readonly ageMs: number | null;
  readonly entries: number;
  readonly epoch?: string;
  readonly keys: readonly string[];
};

export type Setup = {
  /** Of the built verifier, as a URL. */
  readonly module: string;
  readonly options: { readonly url: string } & Readonly<Record<string, unknown>>;
  /** Where introspection is asked for, when the way to it is another one than the feed's. */
  readonly introspectAt?: string;
  /** `streams`: something between cuts them off, so that it has to poll. */
  readonly without?: 'streams';
  /** By how much the clock of the process is wrong. */
  readonly clockMs?: number;
};

/** `good`, `stale, accepted`, or the code of the refusal. */
export type Outcome = string;

/** A time in which a token was judged alike, again and again. */
export type Run = { readonly outcome: Outcome; readonly firstDoneMs: number; lastBegunMs: number; count: number };

export type Load = { readonly good: readonly string[]; readonly ended: readonly string[] };
export type LoadResult = {
  readonly good: Readonly<Record<Outcome, number>>;
  readonly ended: Readonly<Record<Outcome, number>>;
  readonly examples: readonly string[];
};

type Calls = {
  ready: [object, View];
  view: [object, View & { readonly resets: number; readonly stale: number; readonly residentMb: number }];
  /** Each token once. */
  judge: [{ readonly tokens: readonly string[] }, readonly Outcome[]];
  /** From now on, about every so many milliseconds; answered when each was judged once. */
  track: [{ readonly tokens: readonly string[]; readonly everyMs: number }, undefined];
  untrack: [{ readonly tokens: readonly string[] }, readonly (readonly Run[])[]];
  verify: [{ readonly tokens: readonly string[]; readonly count: number }, Readonly<Record<Outcome, number>>];
  /** Verifies in turn until `unload`; called again, it goes on with other tokens. */
  load: [{ readonly tokens: Load }, undefined];
  unload: [object, LoadResult];
};
export type Command = { [Name in keyof Calls]: { readonly do: Name } & Calls[Name][0] }[keyof Calls];

type Pending = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };

/** A verifier in a process of its own. */
export class VerifierProcess {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #next = 0;

  constructor(setup: Setup) {
    this.#child = fork(join(import.meta.dirname, 'verifier-process.ts'), [JSON.stringify(setup)], {
      execArgv: setup.clockMs === undefined ? [] : shiftedClock(setup.clockMs),
    });
    this.#child.on('message', (message) => this.#take(message as { id: number; value?: unknown; error?: string }));
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#pending.values()) reject(new Error(`a verifier ended with ${code}`));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws when the process has ended */
  ask<Name extends keyof Calls>(name: Name, given: Calls[Name][0]): Promise<Calls[Name][1]> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: (value) => resolve(value as Calls[Name][1]), reject });
      this.#child.send({ id, command: { do: name, ...given } }, (error) => {
        if (error) reject(error);
      });
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  #take({ id, value, error }: { id: number; value?: unknown; error?: string }): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(value);
    else pending?.reject(new Error(error));
  }
}

/** Shifts the clock of a process, as the wrong time of a machine would; the monotonic one stays. */
export function shiftedClock(ms: number): string[] {
  const script = `const Real = Date, now = Date.now;
    globalThis.Date = class extends Real {
      constructor(...given) { if (given.length === 0) super(now() + ${ms}); else super(...given); }
      static now() { return now() + ${ms}; }
    };`;
  return ['--import', `data:text/javascript,${encodeURIComponent(script)}`];
}

/** @param app the built checkout of Gatehouse, whose verifier it is */
export function startVerifier(
  app: string,
  serviceKey: string,
  { url, staleness, ...more }: Omit<Setup, 'module' | 'options'> & { url: string; staleness?: object },
): VerifierProcess {
  const module = pathToFileURL(join(app, 'dist/packages/verifier/src/index.js')).href;
  const options = { issuer: publicUrl, audience: publicUrl, url, serviceKey, ...(staleness && { staleness }) };
  return new VerifierProcess({ module, options, ...more });
}
