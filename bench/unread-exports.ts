/**
 * The memory of the service, and `me`, while exports of a user with many sessions are asked
 * for and not read. See README.md.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { jsonRequest, meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { askInTurn } from './lib/probes.ts';
import { pin, residentMb } from './lib/process-usage.ts';
import { startReplica } from './lib/replica.ts';
import { quantile } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ exports: 100, callers: 10, sessions: 20_000, seconds: 12 });
const { exports, callers, sessions, seconds } = options.numbers;
const database = await createDatabase(options.database);
try {
  pin(process.pid, options.loadCpu);
  const server = await startReplica(options, { databaseUrl: database.url });
  const [subject, ...others] = await seedAccounts(server, database, callers + 1);
  const admins = others.slice(0, callers);
  if (!subject || admins.length < callers) throw new Error('no accounts');
  await database.query('update users set roles = $1 where id = any($2)', [
    ['user', 'admin'],
    admins.map(({ id }) => id),
  ]);
  await database.query(
    `insert into sessions (id, user_id, generation, current_hash, user_agent, ip)
      select gen_random_uuid(), $1, 0, '\\x00', repeat('a', 200), '192.0.2.1' from generate_series(1, $2::int)`,
    [subject.id, sessions],
  );
  const tokens = (await signIn(server.port, admins)).map(({ accessToken }) => accessToken);
  const me = meRequest(tokens[0] ?? '');
  await database.pinBackends(options.loadCpu);
  const measure = async (phase: string, lasting: number): Promise<Record<string, string | number>> => {
    const { latencies, failures } = await askInTurn(server.port, me, lasting);
    const { now, peak } = residentMb(server.pid);
    return {
      phase,
      'me, requests': latencies.length,
      failures,
      'p50, ms': quantile(latencies, 0.5).toFixed(1),
      'longest, ms': Math.max(...latencies).toFixed(1),
      'MB at its end': now.toFixed(0),
      'MB, most so far': peak.toFixed(0),
    };
  };
  const rows = [await measure('before', 3)];
  for (const used of [tokens.slice(0, 1), tokens]) {
    const unread = Array.from({ length: exports }, (_, at) => {
      const request = jsonRequest('GET', `/v1/users/${subject.id}/export`, undefined, used[at % used.length]);
      return openUnread(server.port, request);
    });
    const row = await measure(`${exports} unread exports of ${used.length} callers`, seconds);
    const opened = await Promise.all(unread);
    const counts = Map.groupBy(opened, ({ status }) => status);
    rows.push({ ...row, answers: [...counts].map(([status, { length }]) => `${length} × ${status}`).join(', ') });
    for (const { socket } of opened) socket.destroy();
  }
  await sleep(2_000);
  rows.push(await measure('after', 3));
  // the first row names the columns
  Object.assign(rows[0] ?? {}, { answers: '' });
  printTable(`\`me\` and the memory of the service; the user has ${sessions} sessions`, rows);
  console.log(server.hasExited() ? 'THE SERVICE HAS ENDED' : 'The service is still the same process.');
  await server.stop();
} finally {
  await database.drop();
}
process.exit(0);

/** Asks, takes the status, and reads no further. */
async function openUnread(port: number, request: string): Promise<{ socket: Socket; status: string }> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(request);
  await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
  const head: unknown = socket.read('HTTP/1.1 200'.length);
  return { socket, status: head instanceof Buffer ? head.toString('latin1').slice(-3) : 'cut' };
}
