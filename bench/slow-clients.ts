/** `me` beside clients that send too slowly, too much or too deep. See README.md. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { attacks } from './lib/attacks.ts';
import { meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { closedLoop, roundRobin } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { startReplica } from './lib/replica.ts';
import { quantile, spread } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ seconds: 4, rounds: 3, connections: 8, users: 50 });
const { seconds, rounds, connections, users } = options.numbers;
const database = await createDatabase(options.database);
try {
  pin(process.pid, options.loadCpu);
  const server = await startReplica(options, { databaseUrl: database.url });
  const accounts = (await seedAccounts(server, database, users)).slice(0, users);
  const tokens = await signIn(server.port, accounts);
  const next = roundRobin(tokens.map(({ accessToken }) => meRequest(accessToken)));
  await database.pinBackends(options.loadCpu);
  const measure = async (): Promise<number> =>
    quantile((await closedLoop(server.port, { connections, seconds, next })).latenciesMs, 0.99);
  await measure();
  const rows: Record<string, string>[] = [];
  for (const [number, { name }] of attacks.entries()) {
    const [calm, attacked]: [number[], number[]] = [[], []];
    let met = '';
    for (let round = 0; round < rounds; round++) {
      calm.push(await measure());
      const attacker = fork(`${import.meta.dirname}/lib/attacker.ts`, [String(number), String(server.port)]);
      await sleep(1_000);
      attacked.push(await measure());
      attacker.send('over');
      [met] = await once(attacker, 'message');
    }
    const ratios = attacked.map((value, at) => value / (calm[at] ?? Number.NaN));
    rows.push({
      attack: name,
      'calm p99, ms': spread(calm, 1),
      'under attack, ms': spread(attacked, 1),
      ratio: spread(ratios, 2),
      target: '≤ 2',
      'what it met in the last round': met,
    });
  }
  printTable('`me` while others misbehave', rows);
  await server.stop();
} finally {
  await database.drop();
}
process.exit(0);
