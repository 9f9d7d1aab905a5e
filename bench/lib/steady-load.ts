import { jsonRequest, meRequest } from './connection.ts';
import { openLoop, type Outcome } from './load.ts';
import type { Server } from './replica.ts';
import { statusOf } from './trust.ts';

/**
 * `me` on each replica at a steady rate, and a write now and then; a port is asked
 * for anew, since replicas restart.
 */
export function startSteadyLoad(
  ports: readonly (() => number)[],
  { perSecond, tokens }: { perSecond: number; tokens: readonly string[] },
): { stop: () => Promise<ReadonlyMap<number, number>> } {
  const statuses = new Map<number, number>();
  let isOver = false;
  const next = (): string => {
    const token = tokens[Math.floor(Math.random() * tokens.length)] ?? '';
    const write = { firstName: `w${Math.floor(Math.random() * 1_000)}` };
    return Math.random() < 0.05 ? jsonRequest('PATCH', '/v1/users/me', write, token) : meRequest(token);
  };
  const onDone = ({ answer }: Outcome): void => {
    const status = answer?.status ?? 0;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  const run = async (portOf: () => number): Promise<void> => {
    while (!isOver) await openLoop(portOf(), { perSecond, until: performance.now() + 250, next, onDone });
  };
  const running = ports.map(run);
  const stop = async (): Promise<ReadonlyMap<number, number>> => {
    isOver = true;
    await Promise.all(running);
    return statuses;
  };
  return { stop };
}

/** How many of the tokens the replicas refuse; each is shown to each of them. */
export async function countRefused(servers: readonly Server[], tokens: readonly string[]): Promise<number> {
  const answers = servers.flatMap(({ port }) => tokens.map((token) => statusOf(port, meRequest(token))));
  return (await Promise.all(answers)).filter((status) => status !== 200).length;
}
