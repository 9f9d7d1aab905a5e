import { SqlEntityManager } from '@mikro-orm/sql';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';

import { KeyRotationService } from '#libs/auth';
import { DeafConnectionError } from '#libs/platform/database';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { isAccepted, newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { type Proxy, startProxy } from '../support/tcp-proxy.js';

let own: OwnDatabase;
let proxy: Proxy;
/**
 * `here` issues tokens for 900 s and is well connected; `there` for 30 s,
 * over the proxy, with a small pool.
 */
let here: Gatehouse;
let there: Gatehouse;
let person: Person;
let bossToken: string;

const startThere = (): Promise<Gatehouse> =>
  startGatehouse({ DATABASE_URL: proxy.url, DATABASE_POOL_SIZE: '2', ACCESS_TOKEN_TTL_SECONDS: '30' }, own);

beforeAll(async () => {
  own = await copyDatabase();
  proxy = await startProxy(own.environment['DATABASE_URL'] ?? '');
  here = await startGatehouse({}, own);
  there = await startThere();
  person = await newPerson(here);
  bossToken = (await signInAdmin(here)).token;
});
afterAll(async () => {
  await here.stop();
  await proxy.mend();
  await there.stop();
  await proxy.cut();
  await own.drop();
});

const readyThere = async (): Promise<number> => (await there.api.get('/health/ready')).status;
const execute = <Row = unknown>(text: string, values: unknown[] = []): Promise<Row[]> =>
  here.app.get(SqlEntityManager).fork().execute<Row[]>(text, values);
const logOutHere = async (token: string): Promise<void> => {
  expect((await here.api.post('/v1/auth/logout', { token })).status).toBe(204);
};
/** Apps in one process share the log of the last that was made. */
const said = (text: string): number => there.log.filter(({ event }) => String(event).includes(text)).length;

/** Takes every connection of the other replica's pool. @returns gives them back */
async function takePool(): Promise<() => Promise<unknown>> {
  const held = [1, 2].map(() => there.app.get(SqlEntityManager).fork());
  await Promise.all(held.map((em) => em.begin()));
  return () => Promise.all(held.map((em) => em.rollback()));
}

const jwks = async ({ api }: Gatehouse): Promise<string[]> =>
  (await api.get('/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid);

/** Seconds from the end of the token to that of the entry that ends it. */
async function marginOf(token: string, subject: string): Promise<number> {
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const rows = await execute<{ s: number }>(
    'select extract(epoch from max(expires_at))::float8 as s from revocations where subject = ?',
    [subject],
  );
  return (rows[0]?.s ?? 0) - exp;
}

describe('a connection that lives and does not hear', () => {
  const reason = 'Set DATABASE_LISTEN_URL to a direct connection';
  afterEach(() => proxy.mend());

  test('a service that gets one is red, says so once, refuses what ended elsewhere, and comes back by itself', async () => {
    const { token } = await signIn(here, person);
    expect(await isAccepted(there, token)).toBe(true);
    const before = said(reason);
    proxy.deafen();
    await expect.poll(readyThere, { timeout: 15_000 }).toBe(503);
    await logOutHere(token);
    expect(await isAccepted(there, token)).toBe(false);
    // long enough for more than one attempt to find it deaf again
    await expect.poll(() => said(reason), { timeout: 15_000 }).toBe(before + 1);
    await proxy.mend();
    await expect.poll(readyThere, { timeout: 15_000 }).toBe(200);
    expect(said(reason)).toBe(before + 1);
  });
});

describe('a change that is heard and cannot be read', () => {
  test('is read again until that works; meanwhile a deactivated service and a retired key are refused', async () => {
    const body = { name: 'billing', scopes: ['users:read'] };
    const { secret } = (await here.api.post('/v1/services', { token: bossToken, body })).body;
    const list = async (): Promise<number> =>
      (await there.api.get('/v1/users', { headers: { 'x-service-key': `billing.${secret}` } })).status;
    await expect.poll(list, { timeout: 5_000 }).toBe(200);
    const release = await takePool();
    await here.api.patch('/v1/services/billing', { token: bossToken, body: { status: 'deactivated' } });
    const rotation = here.app.get(KeyRotationService);
    for (const id of await jwks(here)) await rotation.retire(id, 'operator');
    // a pool that gives nothing within 3 s is an error
    await expect.poll(() => said('cannot be read'), { timeout: 15_000 }).toBe(2);
    expect(await list()).toBe(503);
    expect(await readyThere()).toBe(503);
    await release();
    expect(await list()).toBe(401);
    const { token } = await signIn(there, person);
    expect(await isAccepted(here, token)).toBe(true);
    await expect.poll(() => jwks(there), { timeout: 15_000 }).toEqual(await jwks(here));
    await expect.poll(readyThere, { timeout: 15_000 }).toBe(200);
    expect(said('is read again')).toBe(2);
    bossToken = (await signInAdmin(here)).token;
  });

  test('a notice that is not understood is read from the table, and ends nothing else', async () => {
    const { token } = await signIn(here, person);
    await execute(`select pg_notify('gatehouse', 'revocation {"of":"a newer release"}')`);
    await execute(`select pg_notify('gatehouse', 'nobody listens to this')`);
    await logOutHere(token);
    await expect.poll(() => isAccepted(there, token)).toBe(false);
    expect(await readyThere()).toBe(200);
  });
});

describe('lifetimes that differ', () => {
  test.for([
    ['a log-out', ({ token }: Person) => there.api.post('/v1/auth/logout', { token })],
    ['a deletion', ({ token }: Person) => there.api.delete('/v1/users/me', { token })],
  ] as const)('%s where they are short outlives a token from where they are long', async ([, end]) => {
    const somebody = await newPerson(here);
    expect((await end(somebody)).status).toBe(204);
    const subject = (await marginOf(somebody.token, somebody.sessionId)) > 0 ? somebody.sessionId : somebody.id;
    expect(await marginOf(somebody.token, subject)).toBeGreaterThanOrEqual(59);
    expect(await isAccepted(here, somebody.token)).toBe(false);
  });

  test('a lifetime counts for as long as tokens with it can live, then it is forgotten', async () => {
    await execute(
      `insert into access_token_lifetimes values (86400, now() - interval '24 h'), (7200, now() - interval '3 h 1 s')`,
    );
    const somebody = await newPerson(here);
    await there.api.post('/v1/auth/logout', { token: somebody.token });
    expect(await marginOf(somebody.token, somebody.sessionId)).toBeGreaterThan(80_000);
    const { Sweeper } = await import('#libs/platform/database');
    await here.app.get(Sweeper).sweepNow();
    const rows = await execute<{ seconds: number }>('select seconds from access_token_lifetimes order by seconds');
    expect(rows.map(({ seconds }) => seconds)).toEqual([30, 900, 86_400]);
    await execute('delete from access_token_lifetimes where seconds = 86400');
  });

  test('a token from where they are long is good where they are short, until its own end', async () => {
    const { token } = await signIn(here, person);
    const { body } = await there.api.post('/v1/auth/explain', { token: bossToken, body: { token } });
    expect(body.reason).toBe('accepted');
    expect(Date.parse(body.at) - Date.now()).toBeGreaterThan(800_000);
  });
});

// These come last: they make apps, and with them another log.
test('after a restore into a database whose transactions count from less, what ended before and after it is over', async () => {
  const name = new URL(own.environment['DATABASE_URL'] ?? '').pathname.slice(1);
  const [ended, forgotten, alive] = [
    await signIn(here, person),
    await signIn(here, person),
    await signIn(here, person),
  ];
  await logOutHere(forgotten.token);
  await expect.poll(() => isAccepted(there, forgotten.token)).toBe(false);
  await here.stop();
  await proxy.cut();
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
  await admin.query(`alter database ${name} rename to ${name}_old`);
  await admin.query(`create database ${name} template ${name}_old`);
  here = await startGatehouse({}, own);
  // as after a restore: the transactions are younger than those that the other replica
  // has seen, and the backup is older
  await execute(`alter table revocations alter column xid set default '3'::xid8`);
  await execute('delete from revocations where subject = ?', [forgotten.sessionId]);
  await logOutHere(ended.token);
  await proxy.mend();
  await expect.poll(readyThere, { timeout: 15_000 }).toBe(200);
  expect(await isAccepted(there, ended.token)).toBe(false);
  expect(await isAccepted(there, forgotten.token)).toBe(false);
  expect(await isAccepted(there, alive.token)).toBe(true);
  await admin.query(`drop database ${name}_old with (force)`);
  await admin.end();
});

test('no service starts on a connection that does not hear, and the error says what to do', async () => {
  proxy.deafen();
  const start = startThere();
  await expect(start).rejects.toThrow(DeafConnectionError);
  await expect(start).rejects.toThrow('Set DATABASE_LISTEN_URL to a direct connection');
});
