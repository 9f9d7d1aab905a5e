import { writeSync } from 'node:fs';
import process from 'node:process';

import type { DestinationStream } from 'pino';

/** How many lines were thrown away because nobody read them. */
export type LineWriter = DestinationStream & { readonly dropped: number };

type Output = {
  /** Writes what there is room for now. @returns bytes written @throws EAGAIN when there is none */
  readonly write: (bytes: Buffer) => number;
  /** The line that tells of lines that are missing. */
  readonly describeDropped: (count: number) => string;
  /** Most bytes that wait for a reader. */
  readonly limitBytes?: number;
};

const retryMs = 50;
/** An exit waits for its reader for so long. */
const exitMs = 1_000;

/**
 * Writes the lines of one turn of the event loop together: in a flood a system call for each was a
 * tenth of what a refusal cost. A reader that stops reading never stops the service: what the pipe
 * does not take waits, up to a bound, and beyond that lines are thrown away, counted, and told of
 * when there is room again. An exit writes what still waits; who kills the process loses the lines
 * of its last turn.
 */
export function lineWriter({ write, describeDropped, limitBytes = 1024 * 1024 }: Output): LineWriter {
  let turn = '';
  let waiting: Buffer = Buffer.alloc(0);
  let dropped = 0;
  let untold = 0;
  let retry: NodeJS.Timeout | undefined;
  let isGone = false;

  /** @returns whether nothing waits any more */
  const drain = (): boolean => {
    try {
      while (waiting.length > 0) waiting = waiting.subarray(write(waiting));
      return true;
    } catch (error) {
      isGone = hasLeft(error);
      if (isGone) waiting = Buffer.alloc(0);
      return isGone;
    }
  };
  const flush = (): boolean => {
    if (turn !== '') waiting = Buffer.concat([waiting, Buffer.from(turn)]);
    turn = '';
    if (!drain() || untold === 0) return waiting.length === 0;
    waiting = Buffer.from(describeDropped(untold));
    untold = 0;
    return drain();
  };
  const flushOrWait = (): void => {
    retry = undefined;
    // unreferenced: a reader that does not read must not keep the process either
    if (!flush()) retry = setTimeout(flushOrWait, retryMs).unref();
  };
  process.on('exit', () => {
    const until = performance.now() + exitMs;
    while (!flush() && performance.now() < until) pause();
  });

  return {
    get dropped() {
      return dropped;
    },
    write(line) {
      if (isGone || waiting.length + turn.length > limitBytes) {
        dropped++;
        untold++;
        return;
      }
      if (turn === '' && !retry) setImmediate(flushOrWait);
      turn += line;
    },
  };
}

/**
 * Whoever read has left for good. Anything else, a full pipe (EAGAIN) or disk, may be over soon.
 */
const hasLeft = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['EPIPE', 'EBADF', 'ECONNRESET'].includes(String(error.code));

/** Timers no longer run in an exit. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}

/**
 * Writes to standard output without waiting. Node has set its pipes and sockets to that once
 * `process.stdout` was looked at; files always take what is written.
 */
export function writeToStdout(bytes: Buffer): number {
  return writeSync(process.stdout.fd, bytes);
}
