/** 100,000 expired messages are swept while `GET /v1/users/me` goes on. See README.md. */
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { meRequest } from './lib/connection.ts';
import { createDatabase } from './lib/database.ts';
import { openLoop, roundRobin } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { startReplica } from './lib/replica.ts';
import { median, quantile } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

const options = readOptions({ rows: 100_000, bytes: 300, rate: 1_000, users: 50, sweeps: 2 });
const { rows, bytes, rate, users, sweeps } = options.numbers;
const giveUpMs = 150_000;
/** One row in a hundred. */
const probes = Array.from({ length: 100 }, (_, at) => uuidOf(Math.floor(((at + 1) * rows) / 100)));
const database = await createDatabase(options.database);
const server = await startReplica(options, { databaseUrl: database.url });

type Sample = { readonly at: number; readonly ms: number };
type Window = { readonly from: number; readonly to: number };
const samples: Sample[] = [];
const windows: Window[] = [];
let isOver = false;
try {
  pin(process.pid, options.loadCpu);
  const accounts = await seedAccounts(server, database, users);
  const next = roundRobin((await signIn(server.port, accounts)).map(({ accessToken }) => meRequest(accessToken)));
  await seed();
  await database.pinBackends(options.loadCpu);
  const load = (async () => {
    while (!isOver) {
      await openLoop(server.port, {
        perSecond: rate,
        until: performance.now() + 1_000,
        next,
        onDone: ({ sentAt, doneAt, answer }) => {
          if (answer?.status !== 200) throw new Error(`me: ${answer?.status}`);
          samples.push({ at: sentAt, ms: doneAt - sentAt });
        },
      });
    }
  })();
  for (let time = 0; time < sweeps; time++) {
    if (time > 0) await seed();
    windows.push(await untilSwept());
    note(`swept in ${((windows.at(-1)?.to ?? 0) - (windows.at(-1)?.from ?? 0)).toFixed(0)} ms`);
  }
  isOver = true;
  await load;
} finally {
  await server.stop();
  await database.drop();
}
report();

/** Expired while it was written: the next sweep takes all of it. */
async function seed(): Promise<void> {
  await database.query(
    `insert into messages (id, token_hash, sender, sealed_key, body, size, created_at, expires_at)
      select lpad(to_hex(n), 32, '0')::uuid, sha256(n::text::bytea), 'service:bench', sha256('k'),
        decode(repeat('ab', $2::int), 'hex'), $2::int, now() - interval '8 days', now() - interval '1 day'
      from generate_series(1, $1::int) n`,
    [rows, bytes],
  );
  await database.query('analyze messages');
}

/** From the first batch that is gone to the last. The key makes looking cheap. */
async function untilSwept(): Promise<Window> {
  const deadline = performance.now() + giveUpMs;
  const left = async (): Promise<number> =>
    (
      await database.query<{ n: number }>(
        `select count(*)::int as n from unnest($1::uuid[]) wanted(id) where exists (select from messages m where m.id = wanted.id)`,
        [probes],
      )
    )[0]?.n ?? 0;
  let from: number | undefined;
  for (;;) {
    if (performance.now() > deadline) throw new Error('nothing was swept');
    const [asked, count] = [performance.now(), await left()];
    if (count < probes.length) from ??= asked;
    if (count === 0 && from !== undefined) return { from, to: performance.now() };
    await sleep(10);
  }
}

function report(): void {
  const isIn = ({ from, to }: Window, { at }: Sample): boolean => at >= from - 50 && at <= to;
  const during = samples.filter((sample) => windows.some((window) => isIn(window, sample))).map(({ ms }) => ms);
  const begin = (samples[0]?.at ?? 0) + 5_000;
  const calm = samples.filter((sample) => sample.at > begin && !windows.some((window) => isIn(window, sample)));
  const p99 = quantile(
    calm.map(({ ms }) => ms),
    0.99,
  );
  const p99During = quantile(during, 0.99);
  printTable(`${rows} expired messages of ${bytes} bytes swept, ${sweeps} times, ${rate} requests/s of me meanwhile`, [
    {
      measure: 'swept in, s',
      value: median(windows.map(({ from, to }) => (to - from) / 1_000)).toFixed(2),
      target: '< 60',
    },
    { measure: 'me p99 in calm, ms', value: `${p99.toFixed(2)} of ${calm.length}`, target: '' },
    { measure: 'me p99 during sweeps, ms', value: `${p99During.toFixed(2)} of ${during.length}`, target: '' },
    { measure: 'moved by, %', value: ((p99During / p99 - 1) * 100).toFixed(0), target: '< 20' },
  ]);
}

function uuidOf(n: number): string {
  const hex = n.toString(16).padStart(32, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
