/**
 * Mail when all is well, then with the server away and a replica killed while it sends. See
 * README.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signInAdmin } from './lib/accounts.ts';
import { createDatabase } from './lib/database.ts';
import { MailSink } from './lib/mail-sink.ts';
import { readOptions } from './lib/options.ts';
import { freePort, type Server, startReplica } from './lib/replica.ts';
import { quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

const options = readOptions({ mails: 1_000, calm: 100, away: 60, patience: 300 });
const { mails, calm, away, patience } = options.numbers;
const database = await createDatabase(options.database);
const sink = new MailSink(await freePort(), 20);
await sink.start();
const env = { MAIL: 'smtp', MAIL_FROM: 'id@example.org', SMTP_URL: `smtp://127.0.0.1:${sink.port}?starttls=off` };
const start = (): Promise<Server> => startReplica(options, { databaseUrl: database.url, env });
const [one, other] = [await start(), await start()];

const answeredAtMs = new Map<string, number>();
/** Not counted: the account that the others are copied from is asked to confirm its address. */
const arrived = () => sink.arrived.filter(({ to }) => answeredAtMs.has(to));
try {
  const accounts = await seedAccounts(one, database, mails + calm);
  let { accessToken } = await signInAdmin(one);
  const change = async ({ id, userName }: (typeof accounts)[number], server: Server): Promise<void> => {
    const body = JSON.stringify({ password: 'bench-Changed-5512' });
    const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
    const answer = await fetch(`${server.url}/v1/users/${id}/password`, { method: 'PUT', headers, body });
    if (answer.status !== 204) throw new Error(`password: ${answer.status} ${await answer.text()}`);
    answeredAtMs.set(`${userName}@example.org`, performance.now());
  };
  const changeAll = async (all: typeof accounts, servers: readonly Server[]): Promise<void> => {
    const todo = all.entries();
    const lane = async (): Promise<void> => {
      for (const [at, account] of todo) {
        // a fresh authentication is asked for, and a thousand hashes may take longer than it lasts
        if (at % 100 === 99) ({ accessToken } = await signInAdmin(one));
        await change(account, servers[at % servers.length] ?? one);
      }
    };
    await Promise.all([lane(), lane()]);
  };

  await changeAll(accounts.slice(0, calm), [one, other]);
  await arrivals(calm);
  const delays = arrived().map(({ to, atMs }) => atMs - (answeredAtMs.get(to) ?? Number.NaN));

  await sink.stop();
  const downAtMs = performance.now();
  await changeAll(accounts.slice(calm, calm + mails), [one, other]);
  note(`${mails} mails wait; the server stays away for ${away} s`);
  await sleep(Math.max(0, away * 1_000 - (performance.now() - downAtMs)));
  const before = arrived().length;
  await sink.start();
  const upAtMs = performance.now();
  await until(() => arrived().length >= before + mails / 10);
  process.kill(one.pid, 'SIGKILL');
  const arrivedBefore = arrived().length - before;
  note(`one replica is killed while both send: ${arrivedBefore} of ${mails} have arrived`);
  await arrivals(calm + mails);
  const allAfterSeconds = (performance.now() - upAtMs) / 1_000;
  note('all have arrived; what the killed replica had begun is sent again when its lease ends');
  await until(async () => (await entries('failed_at is null')) === 0);
  const [waiting, givenUp] = [await entries('failed_at is null'), await entries('failed_at is not null')];

  const copies = new Map<string, Set<string>>();
  const counts = new Map<string, number>();
  for (const { to, messageId } of arrived()) {
    copies.set(to, (copies.get(to) ?? new Set()).add(messageId));
    counts.set(to, (counts.get(to) ?? 0) + 1);
  }
  const most = Math.max(...counts.values());
  const rows = [
    { measure: 'handed over after the answer, p95 ms', value: quantile(delays, 0.95).toFixed(0), target: '≤ 2000' },
    { measure: 'people who got their mail', value: copies.size, target: calm + mails },
    { measure: 'mails that came more than once', value: [...counts.values()].filter((n) => n > 1).length, target: '' },
    { measure: 'most copies of one', value: most, target: '≤ 2' },
    {
      measure: 'people with two Message-IDs',
      value: [...copies.values()].filter((ids) => ids.size > 1).length,
      target: 0,
    },
    { measure: 'entries left in the outbox: waiting, given up', value: `${waiting}, ${givenUp}`, target: '0, 0' },
    { measure: 'all there, s after the server was back', value: allAfterSeconds.toFixed(0), target: '' },
  ];
  printTable('Mail: calm, server away, a replica killed', rows);
  const isGood =
    quantile(delays, 0.95) <= 2_000 &&
    copies.size === calm + mails &&
    // or nobody was killed while there was something to send
    arrivedBefore < mails &&
    most <= 2 &&
    waiting + givenUp === 0 &&
    [...copies.values()].every((ids) => ids.size === 1);
  process.exitCode = isGood ? 0 : 1;
} finally {
  const alive = [one, other].filter((replica) => !replica.hasExited());
  await Promise.all(alive.map((replica) => replica.stop().catch(() => undefined)));
  await sink.stop();
  await database.drop();
}

/** Waits until so many people have got mail. */
async function arrivals(count: number): Promise<void> {
  await until(() => new Set(arrived().map(({ to }) => to)).size >= count);
}

/** Waits for it, at most as long as patience lasts. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + patience * 1_000;
  while (!(await isSo()) && performance.now() < untilMs) await sleep(50);
}

async function entries(condition: string): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    `select count(*)::int as count from outbox where ${condition}`,
    [],
  );
  return row?.count ?? 0;
}
