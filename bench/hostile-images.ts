/** What a corpus of hostile files does to the service: crashes, statuses, memory. See README.md. */
import { hostileImages, marker } from '../test/support/hostile-images.ts';
import { seedAccounts, signIn } from './lib/accounts.ts';
import { createDatabase } from './lib/database.ts';
import { readOptions } from './lib/options.ts';
import { residentMb } from './lib/process-usage.ts';
import { startReplica, type Server } from './lib/replica.ts';
import { note, printTable } from './lib/table.ts';
import { picturePath, putAvatar, type Uploaded } from './lib/upload.ts';

type Seen = {
  readonly name: string;
  readonly uploaded: Uploaded;
  readonly isExpected: boolean;
  readonly isClean: boolean;
};

const options = readOptions({ parallel: 16 });
const database = await createDatabase(options.database);
// as the image has it
const server = await startReplica(options, { databaseUrl: database.url });
try {
  await run();
} finally {
  await server.stop();
  await database.drop();
}

async function run(): Promise<void> {
  const [account] = await seedAccounts(server, database, 1);
  const [tokens] = await signIn(server.port, account ? [account] : []);
  const token = tokens?.accessToken ?? '';
  const corpus = await hostileImages('all');
  const before = residentMb(server.pid).now;
  note(`${corpus.length} files, one after the other`);
  const seen: Seen[] = [];
  for (const { name, bytes, statuses } of corpus) {
    const uploaded = await putAvatar(server, token, bytes);
    const isClean = uploaded.status !== 200 || (await isSanitised(server, uploaded));
    seen.push({ name, uploaded, isExpected: statuses.includes(uploaded.status), isClean });
  }
  const alone = residentMb(server.pid).peak;
  const slowest = seen.toSorted((left, right) => right.uploaded.milliseconds - left.uploaded.milliseconds).slice(0, 12);
  const worst = corpus.filter(({ name }) => slowest.some((one) => one.name === name));
  note(`the ${worst.length} slowest, ${options.numbers.parallel} at a time, three times each`);
  const todo = [...worst, ...worst, ...worst].values();
  const together: number[] = [];
  await Promise.all(
    Array.from({ length: options.numbers.parallel }, async () => {
      for (const { bytes } of todo) together.push((await putAvatar(server, token, bytes)).status);
    }),
  );
  const ready = await fetch(`${server.url}/health/ready`);
  for (const { name, uploaded, isExpected } of seen) {
    if (!isExpected) note(`UNEXPECTED ${uploaded.status} ${uploaded.body?.code ?? ''}: ${name}`);
  }
  const row = (measure: string, value: string | number, target = ''): Record<string, string> => ({
    measure,
    value: String(value),
    target,
  });
  printTable(`${corpus.length} hostile files; one core`, [
    row('process', server.hasExited() ? 'CRASHED' : 'alive', 'alive'),
    row('ready afterwards', ready.status, '200'),
    row('statuses, one by one', tally(seen.map(({ uploaded }) => uploaded.status))),
    row('other statuses than expected', seen.filter(({ isExpected }) => !isExpected).length, '0'),
    row('served unsanitised', seen.filter(({ isClean }) => !isClean).length, '0'),
    row('statuses, the slowest at once', tally(together)),
    row('memory before', `${before.toFixed(0)} MB`),
    row('most memory, one by one', `${alone.toFixed(0)} MB`, '< 600 MB'),
    row('most memory, at once', `${residentMb(server.pid).peak.toFixed(0)} MB`, '< 600 MB'),
    ...slowest
      .slice(0, 3)
      .map(({ name, uploaded }) => row(`slowest: ${name}`, `${uploaded.milliseconds.toFixed(0)} ms`)),
  ]);
}

/** Only WebP comes out, and nothing of what was hidden in the file. */
async function isSanitised({ url }: Server, uploaded: Uploaded): Promise<boolean> {
  for (const size of [64, 256, 512]) {
    const answer = await fetch(url + picturePath(uploaded, size));
    const bytes = Buffer.from(await answer.arrayBuffer());
    const isWebp = bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP';
    if (!isWebp || bytes.includes(marker) || answer.headers.get('content-type') !== 'image/webp') return false;
  }
  return true;
}

function tally(statuses: readonly number[]): string {
  const groups = Map.groupBy(statuses, (status) => status);
  return [...groups]
    .toSorted(([left], [right]) => left - right)
    .map(([status, group]) => `${status}: ${group.length}`)
    .join(', ');
}
