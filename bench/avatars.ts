/**
 * Time of a 12 MP upload on one core, stored sizes, and serving against a bare
 * Fastify server. See README.md.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { default as Sharp } from 'sharp';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { createDatabase } from './lib/database.ts';
import { closedLoop } from './lib/load.ts';
import { readOptions } from './lib/options.ts';
import { cpuSeconds, pin } from './lib/process-usage.ts';
import { startFloor, startReplica, type Server } from './lib/replica.ts';
import { median, spread } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';
import { picturePath, putAvatar, type Uploaded } from './lib/upload.ts';

const options = readOptions({ uploads: 15, photos: 40, rounds: 9, seconds: 2, connections: 32 });
const { uploads, photos, rounds, seconds, connections } = options.numbers;
const sharp: typeof Sharp = createRequire(join(options.app, 'package.json'))('sharp');
const database = await createDatabase(options.database);
const servers: Server[] = [];
try {
  pin(process.pid, options.loadCpu);
  await run();
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  await database.drop();
}

async function run(): Promise<void> {
  const server = await started(startReplica(options, { databaseUrl: database.url }));
  const accounts = await seedAccounts(server, database, photos + 1);
  const tokens = (await signIn(server.port, accounts)).map(({ accessToken }) => accessToken);
  await database.pinBackends(options.loadCpu);
  const [own = '', ...others] = tokens;

  note(`${uploads} uploads of 12 MP`);
  const first = await putAvatar(server, own, await photo(4_000, 3_000, 1));
  const timed: Uploaded[] = [];
  const fileSizes: number[] = [];
  for (let at = 0; at < uploads; at++) {
    const bytes = await photo(4_000, 3_000, at + 2);
    fileSizes.push(bytes.length);
    timed.push(await putAvatar(server, own, bytes));
  }
  const bad = [first, ...timed].filter(({ status }) => status !== 200);
  if (bad.length > 0) throw new Error(`${bad[0]?.status}: ${JSON.stringify(bad[0]?.body)}`);

  note(`${photos} pictures for the sizes`);
  for (const [at, token] of others.entries()) await putAvatar(server, token, await photo(1_600, 1_200, 100 + at));
  const sizes = await database.query<{ w64: number; w256: number; w512: number }>(
    'select length(w64) as w64, length(w256) as w256, length(w512) as w512 from avatars',
  );

  const last = timed.at(-1) ?? first;
  const again = await revalidate(server, picturePath(last));
  const [picture, unchanged] = await serve(server, picturePath(last), again.etag);
  const times = timed.map(({ milliseconds }) => milliseconds);
  const row = (measure: string, value: string, target = ''): Record<string, string> => ({ measure, value, target });
  printTable('Avatars; one core', [
    row('12 MP JPEG, size of the file', `${(median(fileSizes) / 1e6).toFixed(1)} MB`),
    row('its upload answered, median (least–most)', `${spread(times)} ms`, '< 400 ms'),
    row('the very first one, with the loading of sharp', `${first.milliseconds.toFixed(0)} ms`),
    row('pictures stored', String(sizes.length)),
    ...(['w64', 'w256', 'w512'] as const).map((name) =>
      row(`stored for ${name.slice(1)} px, median (least–most)`, `${spread(sizes.map((size) => size[name]))} bytes`),
    ),
    row(
      'stored for an avatar, median',
      `${median(sizes.map((size) => size.w64 + size.w256 + size.w512))} bytes`,
      'reported',
    ),
    row('second GET', String(again.status), '304'),
    row('256 px from memory, requests/s', spread(picture.own)),
    row('bare Fastify', spread(picture.floor)),
    row('ratio', spread(picture.ratio, 2), 'near 1'),
    row('304, requests/s', spread(unchanged.own)),
    row('bare Fastify', spread(unchanged.floor)),
    row('ratio', spread(unchanged.ratio, 2), 'near 1'),
  ]);
}

async function started(starting: Promise<Server>): Promise<Server> {
  const server = await starting;
  servers.push(server);
  return server;
}

async function revalidate({ url }: Server, path: string): Promise<{ status: number; etag: string }> {
  const etag = (await fetch(url + path)).headers.get('etag') ?? '';
  const { status } = await fetch(url + path, { headers: { 'if-none-match': etag } });
  return { status, etag };
}

type Rates = { readonly own: number[]; readonly floor: number[]; readonly ratio: number[] };

/** In turns, each round in another order. */
async function serve(server: Server, path: string, etag: string): Promise<[Rates, Rates]> {
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-bench-')), 'picture.webp');
  writeFileSync(file, Buffer.from(await (await fetch(server.url + path)).arrayBuffer()));
  const env = { PICTURE: file, ETAG: etag };
  const floor = await started(startFloor(options, { databaseUrl: '', env, script: 'floor/picture.ts' }));
  const rates = (): Rates => ({ own: [], floor: [], ratio: [] });
  const results: [Rates, Rates] = [rates(), rates()];
  const plain = `GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`;
  const known = `GET ${path} HTTP/1.1\r\nHost: bench\r\nIf-None-Match: ${etag}\r\n\r\n`;
  for (let round = -1; round < rounds; round++) {
    for (const [at, request] of [plain, known].entries()) {
      const order = round % 2 === 0 ? [server, floor] : [floor, server];
      const measured = new Map<Server, number>();
      for (const one of order) measured.set(one, await rateOf(one, request, at === 1 ? 304 : 200));
      const [own = 0, bare = 0] = [measured.get(server), measured.get(floor)];
      if (round < 0) continue;
      results[at]?.own.push(own);
      results[at]?.floor.push(bare);
      results[at]?.ratio.push(own / bare);
    }
  }
  return results;
}

async function rateOf(server: Server, request: string, status: number): Promise<number> {
  const before = cpuSeconds(server.pid);
  const load = await closedLoop(server.port, { connections, seconds, next: () => request, status });
  if ((cpuSeconds(server.pid) - before) / load.seconds < 0.8) note('the server had time to spare: the load limits');
  return load.latenciesMs.length / load.seconds;
}

/**
 * Something like a photograph: soft shapes, an edge or two, and the noise of a sensor.
 * The same one for the same seed.
 */
async function photo(width: number, height: number, seed: number): Promise<Buffer> {
  let state = seed * 2_654_435_761;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const coarse = Buffer.from(Array.from({ length: 12 * 9 * 3 }, () => Math.floor(next() * 256)));
  const detail = Buffer.from(Array.from({ length: 160 * 120 }, () => 96 + Math.floor(next() * 64)));
  const noise = Buffer.from(Array.from({ length: 512 * 512 * 3 }, () => 120 + Math.floor(next() * 16)));
  const shapes = Array.from({ length: 12 }, () => {
    const [x, y, r] = [next() * 100, next() * 75, 4 + next() * 14];
    return `<circle cx="${x}" cy="${y}" r="${r}" fill="hsl(${Math.floor(next() * 360)} 45% 50%)" fill-opacity=".7"/>`;
  });
  const drawn = Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 100 75">${shapes.join('')}</svg>`,
  );
  const layer = await sharp(detail, { raw: { width: 160, height: 120, channels: 1 } })
    .resize(width, height, { kernel: 'cubic', fit: 'fill' })
    .png({ compressionLevel: 1 })
    .toBuffer();
  const grain = await sharp(noise, { raw: { width: 512, height: 512, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
  return sharp(coarse, { raw: { width: 12, height: 9, channels: 3 } })
    .resize(width, height, { kernel: 'cubic', fit: 'fill' })
    .composite([
      { input: drawn },
      { input: layer, blend: 'soft-light' },
      { input: grain, tile: true, blend: 'overlay' },
    ])
    .jpeg({ quality: 90 })
    .toBuffer();
}
