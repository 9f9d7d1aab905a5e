import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { emptyDatabase } from '../support/empty-database.js';
import { isAccepted, newPerson, signIn } from '../support/people.js';
import { type Pooler, startPooler } from '../support/pooler.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

async function own(): Promise<OwnDatabase> {
  const database = await copyDatabase();
  ending.push(database.drop);
  return database;
}

async function pooler(url: string, mode: 'session' | 'transaction'): Promise<Pooler> {
  const started = await startPooler(url, mode);
  ending.push(started.stop);
  return started;
}

async function start(environment: Record<string, string>, database: OwnDatabase): Promise<Gatehouse> {
  const gatehouse = await startGatehouse(environment, database);
  ending.push(gatehouse.stop);
  return gatehouse;
}

const directUrl = (database: OwnDatabase): string => database.environment['DATABASE_URL'] ?? '';

async function asOwner(database: OwnDatabase, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: directUrl(database) });
  await client.connect();
  await client.query(statement);
  await client.end();
}

/**
 * A session from its beginning to its end, with a write, a list and a revocation that is heard of.
 */
async function liveThrough(gatehouse: Gatehouse): Promise<void> {
  const person = await newPerson(gatehouse);
  const { api } = gatehouse;
  const { token, userName } = person;
  const refreshed = await api.post('/v1/auth/refresh', { body: { refreshToken: person.refreshToken } });
  const answers = [
    refreshed,
    await api.patch('/v1/users/me', { token, body: { firstName: 'Eve' } }),
    await api.get(`/v1/users/by-user-name/${userName}`, { token }),
    ...(await Promise.all(Array.from({ length: 20 }, () => api.get('/v1/users/me', { token })))),
    await api.post('/v1/auth/logout', { token }),
  ];
  expect(answers.map(({ status }) => status).filter((status) => status >= 300)).toEqual([]);
  expect(await isAccepted(gatehouse, token)).toBe(false);
  await signIn(gatehouse, person);
}

describe('through a pooler in session mode with stock settings', () => {
  test('an empty database is migrated and served, with one connection in the pool', async () => {
    const database = await own();
    const empty = await emptyDatabase();
    ending.push(empty.drop);
    const { url } = await pooler(empty.url, 'session');
    const gatehouse = await start({ DATABASE_URL: url, DATABASE_POOL_SIZE: '1' }, database);
    await liveThrough(gatehouse);
    expect((await gatehouse.api.get('/health/ready')).status).toBe(200);
  });
});

describe('through a pooler in transaction mode', () => {
  test('with a direct way for the connection that listens, all works and both replicas hear of what ends', async () => {
    const database = await own();
    const { url } = await pooler(directUrl(database), 'transaction');
    const through = { DATABASE_URL: url, DATABASE_LISTEN_URL: directUrl(database) };
    const one = await start(through, database);
    const two = await start(through, database);
    await liveThrough(one);
    const { token } = await newPerson(one);
    expect(await isAccepted(two, token)).toBe(true);
    await one.api.post('/v1/auth/logout', { token });
    expect(await isAccepted(two, token)).toBe(false);
    expect((await two.api.get('/health/ready')).status).toBe(200);
    expect(one.log).toContainEqual(expect.objectContaining({ event: 'connected to PostgreSQL', pooled: true }));
    expect([...one.log, ...two.log].filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('a default of the database that we cannot set there is named at start', async () => {
    const database = await own();
    await asOwner(
      database,
      `do $$ begin execute format('alter database %I set bytea_output = escape', current_database()); end $$`,
    );
    const { url } = await pooler(directUrl(database), 'transaction');
    const through = { DATABASE_URL: url, DATABASE_LISTEN_URL: directUrl(database) };
    await expect(startGatehouse(through, database)).rejects.toThrow(
      /setting bytea_output is 'escape' and must be 'hex'/,
    );
  });
});
