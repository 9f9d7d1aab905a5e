/** Whether the time of a refused login tells if the user exists. See README.md. */
import { seedAccounts, loginRequest } from './lib/accounts.ts';
import { Connection } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { startReplica } from './lib/replica.ts';
import { mannWhitneyP, median, quantile } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ pairs: 300, 'warm-up': 20 });
const { pairs, 'warm-up': warmUp } = options.numbers;
const database = await createDatabase(options.database);
const replica = await startReplica(options, { databaseUrl: database.url });
try {
  const accounts = await seedAccounts(replica, database, pairs + warmUp);
  await database.pinBackends(options.loadCpu);
  pin(process.pid, options.loadCpu);
  const connection = await Connection.open(replica.port);
  const [known, unknown]: [number[], number[]] = [[], []];
  for (const [at, { userName }] of accounts.entries()) {
    const timeKnown = async () => known.push(await time(connection, userName));
    const timeUnknown = async () => unknown.push(await time(connection, userName.replace('bench', 'other')));
    // each goes first in half of the pairs, at random, so that no order is part of the answer
    const order = Math.random() < 0.5 ? [timeKnown, timeUnknown] : [timeUnknown, timeKnown];
    for (const one of order) await one();
    if (at + 1 === warmUp) known.length = unknown.length = 0;
  }
  connection.close();
  const row = (name: string, values: readonly number[]) => ({
    login: name,
    count: values.length,
    'median ms': median(values).toFixed(2),
    'p10 ms': quantile(values, 0.1).toFixed(2),
    'p90 ms': quantile(values, 0.9).toFixed(2),
  });
  printTable(`Refused logins, one at a time, ${pairs} interleaved pairs`, [
    row('unknown user', unknown),
    row('wrong password', known),
  ]);
  const difference = median(unknown) - median(known);
  console.log(`Mann–Whitney p = ${mannWhitneyP(unknown, known).toFixed(3)} (target > 0.01)`);
  console.log(`unknown − wrong: ${difference.toFixed(2)} ms of the medians`);
} finally {
  await replica.stop();
  await database.drop();
}

async function time(connection: Connection, userName: string): Promise<number> {
  const request = loginRequest(userName, 'bench-not-the-password');
  const sentAt = performance.now();
  const { status, body } = await connection.send(request);
  const elapsed = performance.now() - sentAt;
  if (status !== 401) throw new Error(`${status}: ${body}`);
  return elapsed;
}
