import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { isHeartbeat, isReset, names, openStream, type Stream } from '../support/feed-stream.js';
import { signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { type Proxy, startProxy } from '../support/tcp-proxy.js';

let own: OwnDatabase;
let proxy: Proxy;
let gatehouse: Gatehouse;
let service: Service;
let writer: pg.Client;

beforeAll(async () => {
  own = await copyDatabase();
  const database = own.environment['DATABASE_URL'] ?? '';
  proxy = await startProxy(database);
  gatehouse = await startGatehouse({}, { ...own, environment: { ...own.environment, DATABASE_URL: proxy.url } });
  service = await newService(gatehouse, {
    token: (await signInAdmin(gatehouse)).token,
    scopes: ['revocations:read'],
  });
  writer = new pg.Client(database);
  await writer.connect();
});
afterAll(async () => {
  await writer.end();
  await proxy.mend();
  await gatehouse.stop();
  await proxy.cut();
  await own.drop();
});

const beats = ({ events }: Stream): number => events.filter(isHeartbeat).length;

/** What was on its way when the database went has come. */
const underwayMs = 500;

test.each(['cut', 'stall'] as const)(
  'while the database cannot be asked (%s) there is no heartbeat, then it goes on',
  async (end) => {
    const stream = await openStream(gatehouse.url, service);
    await stream.until(isHeartbeat);
    await proxy[end]();
    await sleep(underwayMs);
    const before = beats(stream);
    const meanwhile = randomUUID();
    await writer.query(
      `insert into revocations (kind, subject, cause, expires_at) values ('session', $1, 'logout', now() + interval '1 hour')`,
      [meanwhile],
    );
    await sleep(2_500);
    expect(beats(stream)).toBe(before);
    await proxy.mend();
    const { atMs } = await stream.until(names(meanwhile));
    await stream.until((event) => isHeartbeat(event) && event.atMs > atMs);
    expect(stream.events.some(isReset)).toBe(false);
    stream.close();
  },
);

test('while the database cannot be asked a stream is refused with 503', async () => {
  await proxy.cut();
  const stream = await openStream(gatehouse.url, service);
  await stream.ended;
  await proxy.mend();
  expect(stream.status).toBe(503);
  expect(Number(stream.headers['retry-after'])).toBeGreaterThan(0);
});
