import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { isHeartbeat, names, openStream } from '../support/feed-stream.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let own: OwnDatabase;
let gatehouse: Gatehouse;
let service: Service;
let writer: pg.Client;

beforeAll(async () => {
  own = await copyDatabase();
  gatehouse = await startGatehouse({}, own);
  const { token } = await signInAdmin(gatehouse);
  service = await newService(gatehouse, { token, scopes: ['revocations:read'] });
  writer = new pg.Client(own.environment['DATABASE_URL']);
  await writer.connect();
});
afterAll(async () => {
  await writer.end();
  await gatehouse.stop();
  await own.drop();
});

async function insert(subject: string): Promise<void> {
  await writer.query(
    `insert into revocations (kind, subject, cause, expires_at) values ('session', $1, 'logout', now() + interval '1 hour')`,
    [subject],
  );
}

async function endSession(): Promise<string> {
  const { token, sessionId } = await newPerson(gatehouse);
  expect((await gatehouse.api.post('/v1/auth/logout', { token })).status).toBe(204);
  return sessionId;
}

test('an entry with a lower id that commits later is told all the same', async () => {
  const stream = await openStream(gatehouse.url, service);
  await stream.until(isHeartbeat);
  const late = randomUUID();
  await writer.query('begin');
  await insert(late);
  const early = await endSession();
  const { atMs } = await stream.until(names(early));
  // its read is over when a heartbeat has come
  await stream.until((event) => isHeartbeat(event) && event.atMs > atMs);
  expect(stream.events.some(names(late))).toBe(false);
  await writer.query('commit');
  await stream.until(names(late));
  stream.close();
});

test('while a transaction sits idle, entries come once, and whoever comes back hears of them again', async () => {
  await writer.query('begin');
  await writer.query('select pg_current_xact_id()');
  const stream = await openStream(gatehouse.url, service);
  await stream.until(isHeartbeat);
  const [first, second] = [await endSession(), await endSession()];
  await stream.until(names(second));
  const third = await endSession();
  const { atMs } = await stream.until(names(third));
  const { id = '' } = await stream.until((event) => isHeartbeat(event) && event.atMs > atMs + 1_500);
  const told = [first, second, third].map((subject) => stream.events.filter(names(subject)).length);
  expect(told).toEqual([1, 1, 1]);
  stream.close();
  const again = await openStream(gatehouse.url, service, { cursor: id });
  await again.until(isHeartbeat);
  expect([first, second, third].every((subject) => again.events.some(names(subject)))).toBe(true);
  again.close();
  await writer.query('rollback');
});

test('no id comes before the first heartbeat, so that who is cut off there misses nothing', async () => {
  await writer.query('begin');
  await writer.query(`insert into revocations (kind, subject, cause, expires_at)
    select 'session', gen_random_uuid(), 'logout', now() + interval '1 hour' from generate_series(1, 20000)`);
  await writer.query('commit');
  const stream = await openStream(gatehouse.url, service);
  const during = endSession();
  const beat = await stream.until(isHeartbeat);
  const before = stream.events.slice(0, stream.events.indexOf(beat));
  expect(before.length).toBeGreaterThanOrEqual(20_000);
  expect(before.filter(({ id }) => id !== undefined)).toEqual([]);
  await stream.until(names(await during));
  stream.close();
});

test('what changed the epoch resets each stream, and its cursors are refused', async () => {
  const stream = await openStream(gatehouse.url, service);
  const { data } = await stream.until(isHeartbeat);
  await writer.query('update feed_epoch set value = gen_random_uuid()');
  await stream.ended;
  expect(stream.events.at(-1)?.event).toBe('reset');
  expect((await openStream(gatehouse.url, service, { cursor: data.cursor })).status).toBe(409);
  const anew = await openStream(gatehouse.url, service);
  expect((await anew.until(isHeartbeat)).data.epoch).not.toBe(data.epoch);
  anew.close();
});
