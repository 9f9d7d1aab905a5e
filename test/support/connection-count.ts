import type { Gatehouse } from './start-gatehouse.js';

/** How many connections a service holds, half closed ones included. */
export const connectionCount = ({ app }: Gatehouse): Promise<number> =>
  new Promise((resolve, reject) => {
    app
      .getHttpServer()
      .getConnections((error: Error | null, count: number) => (error ? reject(error) : resolve(count)));
  });
