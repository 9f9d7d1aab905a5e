import { setTimeout as sleep } from 'node:timers/promises';

import { type Account, seedAccounts, signIn } from './lib/accounts.ts';
import { type Answer, Connection, jsonRequest, meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { createPostgres, type OwnPostgres } from './lib/own-postgres.ts';
import { type Server, startReplica } from './lib/replica.ts';
import { quantile } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

const options = readOptions({ workers: 16, calm: 3, outage: 14 });
const { workers, calm, outage } = options.numbers;
const [all, readyTimeoutMs] = ['0-1', 2_500];

type Seen = { readonly sentAt: number; readonly doneAt: number; readonly answer: Answer | undefined };
type Writer = { readonly account: Account; readonly token: string; attempted: number; acknowledged: number };
type Fault = { readonly name: string; hurt(): Promise<void>; heal(): Promise<void> };

const faultsOf = (postgres: OwnPostgres): readonly Fault[] => [
  { name: 'stopped, started', hurt: () => postgres.stop('SIGINT'), heal: () => postgres.start() },
  { name: 'crashed (SIGKILL), started', hurt: () => postgres.stop('SIGKILL'), heal: () => postgres.start() },
  { name: 'paused (SIGSTOP), continued', hurt: async () => postgres.pause(), heal: async () => postgres.resume() },
];

const seen: Seen[] = [];
const readiness: { at: number; isReady: boolean }[] = [];
let isOver = false;

/** One request at a time; a new connection when the old one was closed. */
async function drive(port: number, next: () => { request: string; onAnswer: (answer: Answer) => void }): Promise<void> {
  let connection: Connection | undefined;
  while (!isOver) {
    const { request, onAnswer } = next();
    const sentAt = performance.now();
    let answer: Answer | undefined;
    try {
      if (!connection || connection.isClosed) connection = await Connection.open(port);
      answer = await connection.send(request);
      onAnswer(answer);
    } catch {
      connection = undefined;
    }
    seen.push({ sentAt, doneAt: performance.now(), answer });
    await sleep(answer?.status === 200 ? 2 : 20);
  }
  connection?.close();
}

function nextOf(writer: Writer): () => { request: string; onAnswer: (answer: Answer) => void } {
  return () => {
    if (writer.attempted % 2 === 0 && Math.random() < 0.5)
      return { request: meRequest(writer.token), onAnswer: () => {} };
    const number = ++writer.attempted;
    return {
      request: jsonRequest('PATCH', `/v1/users/${writer.account.id}`, { firstName: `w${number}` }, writer.token),
      onAnswer: ({ status }) => {
        if (status === 200) writer.acknowledged = number;
      },
    };
  };
}

async function watchReady({ url }: Server): Promise<void> {
  while (!isOver) {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(readyTimeoutMs) }).catch(
      () => undefined,
    );
    await answer?.body?.cancel();
    readiness.push({ at: performance.now(), isReady: answer?.status === 200 });
    await sleep(50);
  }
}

async function suffer(
  { name, hurt, heal }: Fault,
  server: Server,
  writers: readonly Writer[],
): Promise<Record<string, string>> {
  await sleep(calm * 1_000);
  const hurtAt = performance.now();
  await hurt();
  await sleep(outage * 1_000);
  const calledBackAt = performance.now();
  await heal();
  const healedAt = performance.now();
  await sleep(8_000);
  const during = seen.filter(({ doneAt }) => doneAt > hurtAt && doneAt < healedAt + 8_000);
  const failed = during.filter(({ answer }) => answer?.status !== 200);
  const isProblem = ({ answer }: Seen): boolean =>
    answer?.status === 503 &&
    /content-type: application\/problem\+json/i.test(answer.head) &&
    /retry-after/i.test(answer.head);
  const redAt = readiness.find(({ at, isReady }) => at > hurtAt && !isReady)?.at ?? Number.NaN;
  const greenAt = readiness.findLast(({ isReady }) => !isReady)?.at ?? Number.NaN;
  const lastFailure = Math.max(
    ...failed.filter(({ sentAt }) => sentAt > healedAt).map(({ doneAt }) => doneAt),
    healedAt,
  );
  const times = failed.map(({ sentAt, doneAt }) => doneAt - sentAt);
  return {
    fault: name,
    'ready red after, s': ((redAt - hurtAt) / 1_000).toFixed(2),
    failed: String(failed.length),
    'as 503 problem': String(failed.filter(isProblem).length),
    'other answers': [
      ...new Set(failed.filter((one) => !isProblem(one)).map(({ answer }) => answer?.status ?? 'cut')),
    ].join(' '),
    'slowest failure, s': (Math.max(...times, 0) / 1_000).toFixed(2),
    'p50, s': (quantile(times, 0.5) / 1_000).toFixed(3),
    'ready after its return, s': (Math.max(0, greenAt - healedAt) / 1_000).toFixed(2),
    'last failure after its return, s': ((lastFailure - healedAt) / 1_000).toFixed(2),
    'writes lost': String(await countLost(server, writers)),
    'outage, s': ((calledBackAt - hurtAt) / 1_000).toFixed(1),
    restarted: server.hasExited() ? 'YES' : 'no',
  };
}

/** A write that was answered 200 must be there, or a later one of the same writer. */
async function countLost(server: Server, writers: readonly Writer[]): Promise<number> {
  let lost = 0;
  for (const writer of writers) {
    const acknowledged = writer.acknowledged;
    const answer = await fetch(`${server.url}/v1/users/me`, { headers: { authorization: `Bearer ${writer.token}` } });
    if (answer.status !== 200) throw new Error(`not recovered: ${answer.status} ${await answer.text()}`);
    const { firstName } = (await answer.json()) as { firstName: string };
    if (acknowledged > 0 && Number(firstName.slice(1)) < acknowledged) lost++;
  }
  return lost;
}

const postgres = await createPostgres(options.app);
try {
  await postgres.start();
  const database = await createDatabase(postgres.url);
  const server = await startReplica(options, { databaseUrl: database.url, cpu: all });
  const accounts = (await seedAccounts(server, database, workers)).slice(0, workers);
  const tokens = await signIn(server.port, accounts);
  const writers = accounts.map((account, at): Writer => ({
    account,
    token: tokens[at]?.accessToken ?? '',
    attempted: 0,
    acknowledged: 0,
  }));
  const running = [watchReady(server), ...writers.map((writer) => drive(server.port, nextOf(writer)))];
  const rows: Record<string, string>[] = [];
  for (const fault of faultsOf(postgres)) rows.push(await suffer(fault, server, writers));
  isOver = true;
  await Promise.race([Promise.all(running), sleep(15_000)]);
  await server.stop();
  printTable('PostgreSQL lost under load: red ≤ 5 s, failures are 503 problems, recovery ≤ 5 s, no write lost', rows);
} finally {
  await postgres.remove();
}
process.exit(0);
