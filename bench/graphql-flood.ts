/** `me` of others while one address, or one user, floods `/graphql` with costly queries. */
import { seedAccounts, signIn } from './lib/accounts.ts';
import { jsonRequest, meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { openLoop, type Outcome, roundRobin } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { loadNow, pin } from './lib/process-usage.ts';
import { type Server, startReplica } from './lib/replica.ts';
import { quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

const options = readOptions({ seconds: 20, calm: 5, flood: 100, reads: 200, users: 50 });
const { seconds, calm, flood, reads, users } = options.numbers;

const times = (count: number, part: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => part(at)).join(' ');
const fields = 'id userName firstName lastName email roles status createdAt updatedAt';
const manyAliases = `{ ${times(70, (at) => `a${at}: me { id }`)} }`;
/** As much as is let through to the parser: see query-limits.ts. */
const worst = `{ ${times(10, (at) => `a${at}: me { ${fields} avatar { url sizes } sessions { id createdAt } }`)} }`;
const faulty = `{ ${times(480, (at) => `field${at}`)} }`;

type Phase = { readonly name: string; readonly query?: string; readonly isSignedIn?: boolean };
const phases: readonly Phase[] = [
  { name: 'calm' },
  { name: '1 kB of aliases', query: manyAliases },
  { name: '10 × me { … }, anonymous', query: worst },
  { name: '480 unknown fields', query: faulty },
  { name: '10 × me { … }, signed in', query: worst, isSignedIn: true },
];

const database = await createDatabase(options.database);
try {
  pin(process.pid, options.loadCpu);
  await compare('limits as shipped', await start({ RATE_LIMIT_IP_READ: '' }));
  await compare('no limit reached: the lexer alone', await start({}));
} finally {
  await database.drop();
}
process.exit(0);

function start(env: Readonly<Record<string, string>>): Promise<Server> {
  return startReplica(options, { databaseUrl: database.url, env: { GRAPHQL: 'eager', ...env } });
}

async function compare(title: string, server: Server): Promise<void> {
  const [attacker, ...others] = await signIn(server.port, await seedAccounts(server, database, users));
  await database.pinBackends(options.loadCpu);
  const next = roundRobin(others.map(({ accessToken }) => meRequest(accessToken)));
  const rows = [];
  for (const { name, query, isSignedIn } of phases) {
    const until = performance.now() + (query === undefined ? calm : seconds) * 1_000;
    const [asked, attacks]: [Outcome[], Outcome[]] = [[], []];
    const token = isSignedIn === true ? attacker?.accessToken : undefined;
    const attack = jsonRequest('POST', '/graphql', { query }, token);
    await Promise.all([
      openLoop(server.port, { perSecond: reads, until, next, onDone: (one) => void asked.push(one) }),
      query !== undefined &&
        openLoop(server.port, { perSecond: flood, until, next: () => attack, onDone: (one) => void attacks.push(one) }),
    ]);
    rows.push(rowOf(name, asked, attacks));
    note(name);
  }
  printTable(`${reads} me/s beside ${flood} queries/s for ${seconds} s, ${title}; load ${loadNow()}`, rows);
  await server.stop();
}

function rowOf(name: string, asked: readonly Outcome[], attacks: readonly Outcome[]): Record<string, string | number> {
  const took = asked.map(({ sentAt, doneAt }) => doneAt - sentAt);
  const statuses = new Map<string, number>();
  for (const { answer } of attacks) {
    const status = String(answer?.status ?? 'none');
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  return {
    flood: name,
    'me: p50, ms': quantile(took, 0.5).toFixed(1),
    'me: p99, ms': quantile(took, 0.99).toFixed(1),
    'slowest, ms': Math.max(...took).toFixed(0),
    'me, not 200': asked.filter(({ answer }) => answer?.status !== 200).length,
    'answers to the flood': [...statuses].map(([status, count]) => `${status}: ${count}`).join(', '),
    target: 'p99 ≤ 50',
  };
}
