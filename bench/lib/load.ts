import { setTimeout as sleep } from 'node:timers/promises';

import { type Answer, Connection } from './connection.ts';

export type Load = {
  readonly seconds: number;
  readonly byStatus: ReadonlyMap<number, number>;
  readonly latenciesMs: readonly number[];
};

type ClosedLoop = {
  readonly connections: number;
  readonly seconds: number;
  readonly next: () => string;
  /** Any 2xx if absent. */
  readonly status?: number;
};

/**
 * Closed loop: each connection sends its next request when it has its answer. Other
 * answers than `status` are an error.
 */
export async function closedLoop(
  port: number,
  { connections, seconds, next, status: wanted }: ClosedLoop,
): Promise<Load> {
  const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)));
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  const latenciesMs: number[] = [];
  await Promise.all(
    open.map(async (connection) => {
      for (let sentAt = performance.now(); sentAt < until;) {
        const { status, body } = await connection.send(next());
        if (wanted === undefined ? status < 200 || status > 299 : status !== wanted)
          throw new Error(`${status}: ${body}`);
        const now = performance.now();
        latenciesMs.push(now - sentAt);
        sentAt = now;
      }
    }),
  );
  const elapsed = (performance.now() - startedAt) / 1_000;
  for (const connection of open) connection.close();
  return { seconds: elapsed, byStatus: new Map([[wanted ?? 200, latenciesMs.length]]), latenciesMs };
}

/** What became of one request of an open loop. No answer: the connection was refused or cut. */
export type Outcome = { readonly sentAt: number; readonly doneAt: number; readonly answer: Answer | undefined };

/**
 * Open loop: sends at a steady rate whether answers come or not, on as many connections as that
 * takes. Times are those at which requests were due, so that a slow server cannot hide its
 * delay by slowing the generator.
 */
export async function openLoop(
  port: number,
  { perSecond, until, next, onDone }: OpenLoop,
): Promise<{ sent: number; connections: number }> {
  const idle: Connection[] = [];
  const running = new Set<Promise<void>>();
  let [sent, connections] = [0, 0];
  const startedAt = performance.now();
  const fire = async (sentAt: number): Promise<void> => {
    let answer: Answer | undefined;
    try {
      let connection = idle.pop();
      if (!connection || connection.isClosed) {
        connection = await Connection.open(port);
        connections++;
      }
      answer = await connection.send(next());
      idle.push(connection);
    } catch {
      answer = undefined;
    }
    onDone({ sentAt, doneAt: performance.now(), answer });
  };
  while (performance.now() < until) {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond);
    for (; sent < due; sent++) {
      const one = fire(startedAt + ((sent + 1) / perSecond) * 1_000);
      running.add(one);
      void one.then(() => running.delete(one));
    }
    await sleep(1);
  }
  await Promise.race([Promise.all(running), sleep(15_000)]);
  for (const connection of idle) connection.close();
  return { sent, connections };
}

type OpenLoop = {
  readonly perSecond: number;
  /** On the clock of `performance.now()`. */
  readonly until: number;
  readonly next: () => string;
  readonly onDone: (outcome: Outcome) => void;
};

/** Goes round a list for ever. */
export function roundRobin<T>(values: readonly T[]): () => T {
  let at = 0;
  return () => {
    const value = values[at++ % values.length];
    if (value === undefined) throw new Error('nothing to go round');
    return value;
  };
}
