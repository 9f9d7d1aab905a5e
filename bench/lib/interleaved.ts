import { closedLoop, roundRobin } from './load.ts';
import { cpuSeconds } from './process-usage.ts';
import type { Server } from './replica.ts';
import { quantile } from './statistics.ts';
import { note } from './table.ts';

/** `busy` in per cent of the server's core. */
export type Round = {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly busy: number;
  readonly p99Ms: number;
};

/** A server and what it is asked, in turn. */
type Contender = { readonly server: Server; readonly requests: readonly string[] };

/** With the latest round of each server. */
type OnRound = (round: number, latest: readonly (Round | undefined)[]) => void;

type Rounds = {
  readonly connections: number;
  readonly seconds: number;
  readonly rounds: number;
  /** Once all are warm, before the first round. */
  readonly onWarm: () => Promise<void>;
  readonly onRound?: OnRound;
};

/** Tells how far it is. */
export const noteRound: OnRound = (round, latest) =>
  note(`round ${round}: ${latest.map((one) => one?.perSecond.toFixed(0)).join(' ')} requests/s`);

/**
 * Interleaved: every round has each server once, each time in another order.
 * @returns the rounds of each server
 */
export async function measureInTurns(contenders: readonly Contender[], plan: Rounds): Promise<readonly Round[][]> {
  const { connections, rounds, seconds, onWarm, onRound } = plan;
  const once = ({ server, requests }: Contender, forSeconds: number): Promise<Round> =>
    measureOnce(server, { requests, connections }, forSeconds);
  const results = contenders.map((): Round[] => []);
  for (const contender of contenders) await once(contender, 3);
  await onWarm();
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const at = (round + turn) % contenders.length;
      const contender = contenders[at];
      if (contender) results[at]?.push(await once(contender, seconds));
    }
    onRound?.(
      round + 1,
      results.map((of) => of.at(-1)),
    );
  }
  return results;
}

/** Every connection takes the next of `requests` in turn. */
export async function measureOnce(
  server: Server,
  { requests, connections }: Pick<Contender, 'requests'> & Pick<Rounds, 'connections'>,
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
