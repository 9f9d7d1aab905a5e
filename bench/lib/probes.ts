import { setTimeout as sleep } from 'node:timers/promises';

import { Connection } from './connection.ts';

/**
 * One request after the other for so many seconds, a connection for each, as probes
 * do. Latencies in milliseconds.
 */
export async function askInTurn(
  port: number,
  request: string,
  lasting: number,
): Promise<{ latencies: number[]; failures: number }> {
  const latencies: number[] = [];
  let failures = 0;
  const until = performance.now() + lasting * 1_000;
  while (performance.now() < until) {
    const start = performance.now();
    try {
      const connection = await Connection.open(port);
      const { status } = await connection.send(request);
      if (status !== 200) failures++;
      connection.close();
    } catch {
      failures++;
    }
    latencies.push(performance.now() - start);
    await sleep(20);
  }
  return { latencies, failures };
}
