import { SqlEntityManager } from '@mikro-orm/sql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newPerson, type Person, registration } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { type Proxy, startProxy } from '../support/tcp-proxy.js';

let database: OwnDatabase;
let proxy: Proxy;
let gatehouse: Gatehouse;
let person: Person;

beforeAll(async () => {
  database = await copyDatabase();
  proxy = await startProxy(database.environment['DATABASE_URL'] ?? '');
  gatehouse = await startGatehouse({ DATABASE_URL: proxy.url }, database);
  person = await newPerson(gatehouse);
});
afterAll(async () => {
  await proxy.cut();
  await gatehouse.stop();
  await database.drop();
});

/** Its status, and which parts the log says are down. */
const ready = async (): Promise<unknown[]> => {
  const { status } = await gatehouse.api.get('/health/ready');
  const last = new Map(
    gatehouse.log.filter(({ context }) => context === 'Readiness').map(({ check, event }) => [check, event]),
  );
  return [status, ...['database', 'migrations', 'revocations'].filter((check) => last.get(check) === 'down')];
};
const allDown = [503, 'database', 'migrations', 'revocations'];

describe('while the database refuses connections', () => {
  beforeAll(() => proxy.cut());
  afterAll(() => proxy.mend());

  test('ready is red and live is green', async () => {
    await expect.poll(ready, { timeout: 15_000 }).toEqual(allDown);
    expect((await gatehouse.api.get('/health/live')).status).toBe(200);
  });

  test('requests that need it get 503 with Retry-After', async () => {
    const { api } = gatehouse;
    const { token, userName, password } = person;
    const answers = [
      await api.get('/v1/users/me', { token }),
      await api.patch('/v1/users/me', { token, body: { firstName: 'Eve' } }),
      await api.post('/v1/auth/login', { body: { userName, password } }),
      await api.post('/v1/auth/refresh', { body: { refreshToken: person.refreshToken } }),
      await api.post('/v1/auth/logout', { token }),
      await api.post('/v1/users', { body: registration() }),
    ];
    for (const { status, body, headers, text } of answers) {
      expect([status, body.code, headers.get('retry-after')], body.instance).toEqual([503, 'unavailable', '2']);
      expect(text).not.toMatch(/127\.0\.0\.1|ECONN|postgres|select/i);
    }
  });
});

test('it serves again when the database is back, and no token came to life or died', async () => {
  await expect.poll(ready, { timeout: 15_000 }).toEqual([200]);
  expect((await gatehouse.api.get('/v1/users/me', { token: person.token })).body.firstName).toBe('Ada');
});

test('connections that are lost inside transactions go back to the pool', async () => {
  const held = Array.from({ length: 10 }, () => gatehouse.app.get(SqlEntityManager).fork());
  await Promise.all(held.map((em) => em.begin()));
  await proxy.cut();
  await Promise.allSettled(held.map((em) => em.rollback()));
  await proxy.mend();
  await expect
    .poll(async () => (await gatehouse.api.get('/v1/users/me', { token: person.token })).status, { timeout: 15_000 })
    .toBe(200);
});

test('ready is red within seconds when the database swallows what it is sent', async () => {
  proxy.stall();
  await expect.poll(ready, { timeout: 15_000 }).toEqual(allDown);
  const credentials = { token: person.token, headers: { 'x-service-key': 'nobody.nothing' } };
  expect((await gatehouse.api.get('/health/ready', credentials)).text).toBe('{"status":"error"}');
  expect((await gatehouse.api.get('/health/live')).status).toBe(200);
});

test('statements that a silent database never answers end as 503, in transactions and outside', async () => {
  const { api } = gatehouse;
  const { token } = person;
  const askAll = () =>
    Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        at % 2 === 0
          ? api.get('/v1/users/me', { token })
          : api.patch('/v1/users/me', { token, body: { firstName: `Eve${at}` } }),
      ),
    );
  await proxy.mend();
  await expect.poll(ready, { timeout: 15_000 }).toEqual([200]);
  // all connections of the pool are open and idle
  expect(new Set((await askAll()).map(({ status }) => status))).toEqual(new Set([200]));
  proxy.stall();
  expect(new Set((await askAll()).map(({ status, body }) => `${status} ${body.code}`))).toEqual(
    new Set(['503 unavailable']),
  );
  await proxy.mend();
  await expect.poll(ready, { timeout: 15_000 }).toEqual([200]);
  expect(new Set((await askAll()).map(({ status }) => status))).toEqual(new Set([200]));
});
