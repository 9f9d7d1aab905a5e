import type { Socket } from 'node:net';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { type FeedEvent, isHeartbeat, openStream } from '../support/feed-stream.js';
import { signInAdmin } from '../support/people.js';
import { openSocket } from '../support/raw-http.js';
import { newService, type Service } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const metricsToken = 'a-token-for-the-scraper';
let own: OwnDatabase;
let gatehouse: Gatehouse;
let service: Service;
let writer: pg.Client;

beforeAll(async () => {
  own = await copyDatabase();
  gatehouse = await startGatehouse({ METRICS_TOKEN: metricsToken }, own);
  service = await newService(gatehouse, {
    token: (await signInAdmin(gatehouse)).token,
    scopes: ['revocations:read'],
  });
  writer = new pg.Client(own.environment['DATABASE_URL']);
  await writer.connect();
});
afterAll(async () => {
  await writer.end();
  await gatehouse.stop();
  await own.drop();
});

const soon = { timeout: 20_000, interval: 100 };

/** Revokes as many users at once, whose subjects begin with a mark. */
async function burst(mark: string, count: number): Promise<void> {
  await writer.query(
    `insert into revocations (kind, subject, name, cause, expires_at)
      select 'user', gen_random_uuid(), $1 || repeat('.', 100) || number, 'logout', now() + interval '1 hour'
      from generate_series(1, $2::int) as number`,
    [mark, count],
  );
}

const told = (events: readonly FeedEvent[], mark: string): number =>
  new Set(events.flatMap(({ data }) => (String(data.subject).startsWith(mark) ? [data.subject] : []))).size;

async function slowResets(): Promise<number> {
  const headers = { authorization: `Bearer ${metricsToken}` };
  const text = await (await fetch(`${gatehouse.url}/metrics`, { headers })).text();
  return Number(/^gatehouse_revocation_feed_resets_total\{reason="slow"\} (\d+)$/m.exec(text)?.[1]);
}

/** A connection that has asked for the stream and reads nothing of it. */
async function openUnread(cursor: string): Promise<Socket> {
  const socket = await openSocket(gatehouse.url);
  socket.pause();
  socket.write(
    `GET /v1/auth/revocations/stream?cursor=${cursor} HTTP/1.1\r\nHost: a\r\nX-Service-Key: ${service.headers['x-service-key']}\r\n\r\n`,
  );
  return socket;
}

test('a burst of 10,000 resets nobody who reads, and all get the same bytes', async () => {
  const streams = await Promise.all(Array.from({ length: 20 }, () => openStream(gatehouse.url, service)));
  const resetsBefore = await slowResets();
  await Promise.all(streams.map((stream) => stream.until(isHeartbeat)));
  await burst('same', 10_000);
  for (const stream of streams) await expect.poll(() => told(stream.events, 'same'), soon).toBe(10_000);
  const revocations = streams.map((stream) => {
    const text = stream.text();
    return text.slice(text.indexOf('event: revocation'), text.lastIndexOf('event: revocation'));
  });
  const [first = ''] = revocations;
  expect(first.match(/event: revocation/g)?.length).toBeGreaterThanOrEqual(9_999);
  expect(revocations.every((text) => withoutBeats(text) === withoutBeats(first))).toBe(true);
  expect(await slowResets()).toBe(resetsBefore);
  for (const stream of streams) stream.close();
});

const withoutBeats = (text: string): string => text.replaceAll(/event: heartbeat\n.*\n.*\n\n/g, '');

test('a burst goes as fast as its readers read', async () => {
  const first = await openStream(gatehouse.url, service);
  const { data } = await first.until(isHeartbeat);
  first.close();
  const resetsBefore = await slowResets();
  const reader = await openUnread(data.cursor);
  let received = '';
  // some megabytes a second
  reader.on('data', (bytes: Buffer) => {
    received += bytes.toString('latin1');
    reader.pause();
    setTimeout(() => reader.resume(), 10);
  });
  reader.resume();
  await expect.poll(() => received, soon).toContain('event: heartbeat');
  await burst('paced', 40_000);
  await expect.poll(() => received.split('"paced').length - 1, { timeout: 60_000, interval: 500 }).toBe(40_000);
  expect(await slowResets()).toBe(resetsBefore);
  reader.destroy();
}, 90_000);

test('who does not read is reset when 256 KiB wait for it, and the others get everything', async () => {
  const stream = await openStream(gatehouse.url, service);
  const { data } = await stream.until(isHeartbeat);
  const resetsBefore = await slowResets();
  const unread = await openUnread(data.cursor);
  // more than the buffers of both kernels take
  for (let count = 0; count < 8; count++) {
    await burst(`slow${count}`, 10_000);
    await expect.poll(() => told(stream.events, `slow${count}`), soon).toBe(10_000);
  }
  await expect.poll(slowResets, soon).toBe(resetsBefore + 1);
  expect(stream.events.some(({ event }) => event === 'reset')).toBe(false);
  stream.close();
  unread.destroy();
}, 90_000);
