import { closedLoop, roundRobin } from './load.ts';
import { cpuSeconds } from './process-usage.ts';
import type { Server } from './replica.ts';
import { quantile } from './statistics.ts';

/** `busy` in per cent of the server's core. */
export type Round = {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly busy: number;
  readonly p99Ms: number;
};

type Rounds = {
  readonly requests: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  readonly rounds: number;
  /** Once all are warm, before the first round. */
  readonly onWarm: () => Promise<void>;
  /** With the latest round of each server. */
  readonly onRound: (round: number, latest: readonly (Round | undefined)[]) => void;
};

/** Interleaved: every round has each server once, each time in another order. @returns the rounds of each server */
export async function measureInTurns(contenders: readonly Server[], plan: Rounds): Promise<readonly Round[][]> {
  const { rounds, seconds, onWarm, onRound } = plan;
  const results = contenders.map((): Round[] => []);
  for (const server of contenders) await measureOnce(server, plan, 3);
  await onWarm();
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const at = (round + turn) % contenders.length;
      const server = contenders[at];
      if (server) results[at]?.push(await measureOnce(server, plan, seconds));
    }
    onRound(
      round + 1,
      results.map((of) => of.at(-1)),
    );
  }
  return results;
}

/** Every connection takes the next of `requests` in turn. */
export async function measureOnce(
  server: Server,
  { requests, connections }: Pick<Rounds, 'requests' | 'connections'>,
  forSeconds: number,
): Promise<Round> {
  const before = cpuSeconds(server.pid);
  const load = await closedLoop(server.port, { connections, seconds: forSeconds, next: roundRobin(requests) });
  const cpu = cpuSeconds(server.pid) - before;
  const count = load.latenciesMs.length;
  return {
    perSecond: count / load.seconds,
    cpuMicros: (cpu / count) * 1e6,
    busy: (cpu / load.seconds) * 100,
    p99Ms: quantile(load.latenciesMs, 0.99),
  };
}
