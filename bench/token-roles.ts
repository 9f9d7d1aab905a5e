/** What many roles cost a login and a refresh. See README.md. */
import { type Account, loginRequest, seedAccounts, type Tokens, userPassword } from './lib/accounts.ts';
import { Connection, jsonRequest } from './lib/connection.ts';
import { createDatabase, type Database } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { cpuSeconds, pin } from './lib/process-usage.ts';
import { type Server, startReplica } from './lib/replica.ts';
import { median, spread } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

/** A login, and each of the refreshes after it: time until the answer, and CPU of the server. */
type Turn = { readonly loginMs: number; readonly refreshMs: number; readonly refreshMicros: number };

const options = readOptions({ roles: 20, permissions: 3, logins: 15, refreshes: 400, rounds: 9 });
const { roles, permissions, logins, refreshes, rounds } = options.numbers;
const database = await createDatabase(options.database);
try {
  const accounts = await prepare();
  pin(process.pid, options.loadCpu);
  const server = await startReplica(options, { databaseUrl: database.url });
  try {
    report(await measure(server, accounts));
  } finally {
    await server.stop();
  }
} finally {
  await database.drop();
}

/** Roles are written before the measured replica starts, which reads them then. */
async function prepare(): Promise<readonly Account[]> {
  const server = await startReplica(options, { databaseUrl: database.url });
  try {
    const accounts = await seedAccounts(server, database, 2);
    await grant(database, accounts[1]?.id ?? '');
    return accounts;
  } finally {
    await server.stop();
  }
}

async function grant(to: Database, id: string): Promise<void> {
  await to.query(
    `insert into roles (name, permissions, created_at, updated_at)
      select 'bench-' || n, array(select 'bench-' || n || ':permission-' || p from generate_series(1, $2::int) p), now(), now()
      from generate_series(2, $1::int) n`,
    [roles, permissions],
  );
  await to.query(
    `update users set roles = array(select 'bench-' || n from generate_series(2, $2::int) n) || '{user}' where id = $1`,
    [id, roles],
  );
}

async function measure(server: Server, accounts: readonly Account[]): Promise<readonly Turn[][]> {
  const turns: Turn[][] = accounts.map(() => []);
  const connection = await Connection.open(server.port);
  await database.pinBackends(options.loadCpu);
  for (let round = 0; round <= rounds; round++) {
    const loginMs = await timeLogins(connection, accounts);
    for (const [at, account] of accounts.entries()) {
      const turn = { loginMs: median(loginMs[at] ?? []), ...(await measureRefreshes(server, connection, account)) };
      // the first round warms up
      if (round > 0) turns[at]?.push(turn);
    }
    note(`round ${round}: ${turns.map((own) => own.at(-1)?.refreshMicros.toFixed(0)).join(' ')} µs/refresh`);
  }
  connection.close();
  return turns;
}

/** Login by login in turns, so that whatever else the machine does meets both. */
async function timeLogins(connection: Connection, accounts: readonly Account[]): Promise<readonly number[][]> {
  const times: number[][] = accounts.map(() => []);
  for (let login = 0; login < logins; login++) {
    for (const [at, { userName }] of accounts.entries()) {
      const start = performance.now();
      await send(connection, loginRequest(userName, userPassword));
      times[at]?.push(performance.now() - start);
    }
  }
  return times;
}

async function measureRefreshes(
  server: Server,
  connection: Connection,
  { userName }: Account,
): Promise<Omit<Turn, 'loginMs'>> {
  let tokens = await send(connection, loginRequest(userName, userPassword));
  const [cpu, start] = [cpuSeconds(server.pid), performance.now()];
  for (let refresh = 0; refresh < refreshes; refresh++) {
    const { refreshToken } = tokens;
    tokens = await send(connection, jsonRequest('POST', '/v1/auth/refresh', { refreshToken }));
  }
  return {
    refreshMs: (performance.now() - start) / refreshes,
    refreshMicros: ((cpuSeconds(server.pid) - cpu) / refreshes) * 1e6,
  };
}

async function send(connection: Connection, request: string): Promise<Tokens> {
  const { status, body } = await connection.send(request);
  if (status !== 200) throw new Error(`${status} ${body}`);
  return JSON.parse(body) as Tokens;
}

function report([one = [], many = []]: readonly Turn[][]): void {
  const ratio = (of: (turn: Turn) => number): string =>
    spread(
      many.map((turn, at) => of(turn) / of(one[at] ?? turn)),
      2,
    );
  const row = (name: string, of: (turn: Turn) => number, target: string, digits = 1) => ({
    what: name,
    'one role': spread(one.map(of), digits),
    [`${roles} roles`]: spread(many.map(of), digits),
    ratio: ratio(of),
    target,
  });
  printTable(`${roles} roles of ${permissions} permissions each, ${rounds} rounds in turns`, [
    row('login, ms', ({ loginMs }) => loginMs, '≤ 1.05'),
    row('refresh (no hashing), ms', ({ refreshMs }) => refreshMs, '', 2),
    row('refresh, CPU µs of the server', ({ refreshMicros }) => refreshMicros, '', 0),
  ]);
}
