/**
 * A probe and `me` while one address opens connections and sends nothing on them. See README.md.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { createDatabase } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { askInTurn } from './lib/probes.ts';
import { pin, residentMb } from './lib/process-usage.ts';
import { startReplica } from './lib/replica.ts';
import { quantile } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ sockets: 10_000, seconds: 15, calm: 3 });
const { sockets, seconds, calm } = options.numbers;
const database = await createDatabase(options.database);
try {
  pin(process.pid, options.loadCpu);
  // as shipped: 10,000 connections, a tenth of them from one address
  const server = await startReplica(options, { databaseUrl: database.url, env: { MAX_CONNECTIONS_PER_ADDRESS: '' } });
  const [account] = await seedAccounts(server, database, 1);
  if (!account) throw new Error('no account');
  const [token] = await signIn(server.port, [account]);
  const asked = {
    'a probe': 'GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n',
    me: `GET /v1/users/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token?.accessToken}\r\n\r\n`,
  };
  const row = async (phase: string, name: keyof typeof asked, lasting: number) => {
    const { latencies, failures } = await askInTurn(server.port, asked[name], lasting);
    const [p50, longest] = [quantile(latencies, 0.5), Math.max(...latencies)];
    const took = { 'p50, ms': p50.toFixed(1), 'longest, ms': longest.toFixed(1) };
    return { phase, asked: name, requests: latencies.length, ...took, target: '≤ 1,000', failures };
  };
  const both = (phase: string, lasting: number) =>
    Promise.all([row(phase, 'a probe', lasting), row(phase, 'me', lasting)]);
  const before = residentMb(server.pid).now;
  const quiet = await both('calm', calm);
  const attacker = fork(`${import.meta.dirname}/lib/silent-attacker.ts`, [String(server.port), String(sockets)]);
  const flooded = await both(`${sockets} silent connections`, seconds);
  attacker.send('over');
  const [{ opened, open }] = await once(attacker, 'message');
  printTable('A probe and `me` from another address, each on a connection of its own', [...quiet, ...flooded]);
  const { now, peak } = residentMb(server.pid);
  printTable('The attacker, and the memory of the service', [
    { opened, 'open at the end': open, 'MB before': before.toFixed(0), after: now.toFixed(0), most: peak.toFixed(0) },
  ]);
  await server.stop();
} finally {
  await database.drop();
}
process.exit(0);
