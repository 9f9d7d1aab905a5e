/** A page of 100 users over GraphQL against the same page over REST; and what a start costs. */
import { setTimeout as sleep } from 'node:timers/promises';

import { signInAdmin } from './lib/accounts.ts';
import { Connection, jsonRequest } from './lib/connection.ts';
import { createDatabase, type Database } from './lib/database.ts';
import { fillUsers } from './lib/fill-users.ts';
import { readOptions } from './lib/options.ts';
import { measureInTurns } from './lib/interleaved.ts';
import { pin, residentMb } from './lib/process-usage.ts';
import { type Server, startReplica } from './lib/replica.ts';
import { profileUnderLoad } from './lib/profiled-load.ts';
import { median, spread } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ users: 10_000, rounds: 7, seconds: 2, starts: 3, connections: 16 }, [
  'profile',
  'sessions',
]);
const { users, rounds, seconds, starts, connections } = options.numbers;
const fields = 'id userName firstName lastName email roles status avatar { url sizes } createdAt updatedAt';
const sessions = 'sessions { id createdAt lastUsedAt userAgent ip isCurrent }';
/** As it is deployed: in development graphql-js checks each type once more, for each value. */
const NODE_ENV = 'production';

const database = await createDatabase(options.database);
const servers: Server[] = [];
try {
  pin(process.pid, options.loadCpu);
  const server = await start('lazy');
  await fillUsers(database, users, 'none');
  await giveAll(database);
  const { accessToken: token } = await signInAdmin(server);
  if (options.flags.has('profile')) {
    await profile(token);
  } else {
    await comparePages(server, token);
    await server.stop();
    servers.pop();
    if (starts > 0) await compareStarts();
  }
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  await database.drop();
}

async function start(mode: 'lazy' | 'eager' | 'off'): Promise<Server> {
  const server = await startReplica(options, { databaseUrl: database.url, env: { NODE_ENV, GRAPHQL: mode } });
  servers.push(server);
  return server;
}

/** A session and a picture for everybody, as rows; the picture is one that nobody looks at. */
async function giveAll({ query }: Database): Promise<void> {
  await query(
    `insert into sessions (id, user_id, generation, current_hash, user_agent, ip)
      select gen_random_uuid(), id, session_generation, sha256(id::text::bytea), 'bench', '127.0.0.1' from users`,
    [],
  );
  await query(`update users set avatar_hash = sha256(id::text::bytea)`, []);
  await query('vacuum analyze users, sessions', []);
}

type Kind = { readonly name: string; readonly requests: readonly string[]; readonly target: string };

async function comparePages(server: Server, token: string): Promise<void> {
  const query = (text: string): string => jsonRequest('POST', '/graphql', { query: text }, token);
  const page = jsonRequest('GET', '/v1/users?limit=100', undefined, token);
  const ids = await idsOf(server, page);
  const one = (id: string): string => jsonRequest('GET', `/v1/auth/sessions?userId=${id}`, undefined, token);
  const kinds: readonly Kind[] = [
    { name: 'REST, users', requests: [page], target: '' },
    { name: 'GraphQL, users', requests: [query(`{ users(first: 100) { nodes { ${fields} } } }`)], target: '≥ 0.4' },
    { name: 'REST, users and their sessions', requests: [page, ...ids.map(one)], target: '' },
    {
      name: 'GraphQL, users and their sessions',
      requests: [query(`{ users(first: 100) { nodes { ${fields} ${sessions} } } }`)],
      target: '≥ 0.4',
    },
  ];
  const asked = kinds.map(({ requests }) => ({ server, requests }));
  const onWarm = (): Promise<void> => database.pinBackends(options.loadCpu);
  const answered = await measureInTurns(asked, { connections, seconds, rounds, onWarm });
  // a page may take several requests
  const measured = answered.map((own, at) => {
    const each = kinds[at]?.requests.length ?? 1;
    return own.map(({ perSecond, cpuMicros }) => ({ perSecond: perSecond / each, cpuMicros: cpuMicros * each }));
  });
  const rows = kinds.map(({ name, target }, at) => {
    const [own = [], plain = [], same = []] = [measured[at], measured[0], measured[at - (at % 2)]];
    const over = (of: typeof own): string =>
      spread(
        own.map(({ perSecond }, round) => perSecond / (of[round]?.perSecond ?? 0)),
        2,
      );
    return {
      page: name,
      'pages/s': spread(own.map(({ perSecond }) => perSecond)),
      'CPU µs/page': spread(own.map(({ cpuMicros }) => cpuMicros)),
      'of REST, same content': at % 2 === 1 ? over(same) : '',
      'of REST, users alone': over(plain),
      target,
    };
  });
  printTable(`a page of 100 of ${users}, ${rounds} rounds of ${seconds} s`, rows);
}

async function idsOf({ port }: Server, request: string): Promise<readonly string[]> {
  const connection = await Connection.open(port);
  const { body } = await connection.send(request);
  connection.close();
  return (JSON.parse(body) as { items: { id: string }[] }).items.map(({ id }) => id);
}

async function compareStarts(): Promise<void> {
  const rows = [];
  const found = { off: [], lazy: [], 'lazy, asked once': [], eager: [] } as Record<
    string,
    { ms: number; mb: number }[]
  >;
  for (let turn = 0; turn < starts; turn++) {
    for (const mode of ['off', 'lazy', 'eager'] as const) {
      const server = await start(mode);
      await sleep(500);
      found[mode]?.push({ ms: server.readyMs, mb: residentMb(server.pid).now });
      if (mode === 'lazy') found['lazy, asked once']?.push(await askOnce(server));
      await server.stop();
      servers.pop();
    }
  }
  for (const [mode, of] of Object.entries(found)) {
    rows.push({
      GRAPHQL: mode,
      'ms until ready, or answered': spread(of.map(({ ms }) => ms)),
      'resident MiB': median(of.map(({ mb }) => mb)).toFixed(0),
    });
  }
  printTable(`${starts} starts each, in turns`, rows);
}

async function askOnce({ url, pid }: Server): Promise<{ ms: number; mb: number }> {
  const askedAt = performance.now();
  const answer = await fetch(`${url}/graphql?query={__typename}`);
  await answer.text();
  const ms = performance.now() - askedAt;
  await sleep(500);
  return { ms, mb: residentMb(pid).now };
}

/** Where the time of the page goes. */
async function profile(token: string): Promise<void> {
  const asked = options.flags.has('sessions') ? `${fields} ${sessions}` : fields;
  const query = `{ users(first: 100) { nodes { ${asked} } } }`;
  const requests = [jsonRequest('POST', '/graphql', { query }, token)];
  await profileUnderLoad(options, database, { name: 'graphql', requests, connections, env: { NODE_ENV } });
}
