import { SqlEntityManager } from '@mikro-orm/sql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { SigningKeysService } from '#libs/auth';
import { Draining } from '#libs/platform/http';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let database: OwnDatabase;
let gatehouse: Gatehouse;
let bossToken: string;

beforeAll(async () => {
  database = await copyDatabase();
  gatehouse = await startGatehouse({}, database);
  bossToken = (await signInAdmin(gatehouse)).token;
});
afterAll(async () => {
  await gatehouse.stop();
  await database.drop();
});

const sql = (statement: string): Promise<any[]> => gatehouse.app.get(SqlEntityManager).fork().execute(statement);
/** The status of the answer, and the checks that are down. */
const probe = async (name: string): Promise<unknown[]> => {
  const { status, body } = await gatehouse.api.get(`/health/${name}`, { token: bossToken });
  return [status, ...Object.keys(body.error)];
};
async function eventually(name: string, expected: unknown[]): Promise<void> {
  await expect.poll(() => probe(name), { timeout: 10_000 }).toEqual(expected);
}

/** @returns a function that puts it back */
async function forgetLastMigration(): Promise<() => Promise<unknown>> {
  const [row] = await sql(
    'delete from schema_migrations where id = (select max(id) from schema_migrations) returning id, name',
  );
  return () => sql(`insert into schema_migrations (id, name) values (${row.id}, '${row.name}')`);
}

describe('who reads a probe', () => {
  test.each(['live', 'ready', 'startup'])('%s tells strangers yes or no, and nothing more', async (name) => {
    const { status, text, headers } = await gatehouse.api.get(`/health/${name}`);
    expect([status, text]).toEqual([200, '{"status":"ok"}']);
    expect(headers.get('cache-control')).toContain('no-store');
  });

  test('an administrator and a service see each part, and how old that is', async () => {
    const body = { name: 'watcher', scopes: [] };
    const { secret } = (await gatehouse.api.post('/v1/services', { token: bossToken, body })).body;
    for (const call of [{ token: bossToken }, { headers: { 'x-service-key': `watcher.${secret}` } }]) {
      const { details } = (await gatehouse.api.get('/health/ready', call)).body;
      expect(Object.keys(details).toSorted()).toEqual(['database', 'keys', 'migrations', 'revocations', 'serving']);
      for (const part of Object.values<any>(details)) {
        expect(part).toEqual({ status: 'up', checkedAgoMs: expect.any(Number) });
        expect(part.checkedAgoMs).toBeLessThan(3_000);
      }
    }
  });

  test('users see what strangers see, and bad credentials fail no probe', async () => {
    const { token } = await newPerson(gatehouse);
    for (const call of [{ token }, { token: 'nonsense' }, { headers: { 'x-service-key': 'watcher.wrong' } }]) {
      const { status, text } = await gatehouse.api.get('/health/ready', call);
      expect([status, text]).toEqual([200, '{"status":"ok"}']);
    }
  });
});

describe('what turns ready red', () => {
  test('a migration that has not run', async () => {
    const remember = await forgetLastMigration();
    await eventually('ready', [503, 'migrations']);
    expect((await gatehouse.api.get('/health/ready')).text).toBe('{"status":"error"}');
    // it has started: to start it again would mend nothing
    expect((await gatehouse.api.get('/health/startup')).status).toBe(200);
    await remember();
    await eventually('ready', [200]);
  });

  test('no key that signs', async () => {
    await sql('update signing_keys set retired_at = now()');
    await gatehouse.app.get(SigningKeysService).reload();
    expect(await probe('ready')).toEqual([503, 'keys']);
    await sql('update signing_keys set retired_at = null');
    await gatehouse.app.get(SigningKeysService).reload();
    await eventually('ready', [200]);
  });
});

test('startup is red until everything has been up once', async () => {
  const remember = await forgetLastMigration();
  await gatehouse.stop();
  gatehouse = await startGatehouse({ MIGRATE_ON_START: 'false' }, database);
  expect(await probe('startup')).toEqual([503, 'migrations']);
  await remember();
  await eventually('startup', [200]);
});

test('probes are logged for those who look closely only', async () => {
  await gatehouse.api.get('/health/ready', { headers: { 'x-request-id': 'probe' } });
  const line = () => gatehouse.log.find(({ requestId }) => requestId === 'probe');
  await expect.poll(line).toMatchObject({ level: 'debug', status: 200, handler: 'HealthController.ready' });
});

test('a process that is stopping is not ready, but alive', async () => {
  expect(await probe('ready')).toEqual([200]);
  gatehouse.app.get(Draining).begin();
  expect(await probe('ready')).toEqual([503, 'serving']);
  expect((await gatehouse.api.get('/health/live')).status).toBe(200);
});
