import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newPerson, registration, signIn, signInAdmin } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

/** Defaults of a database that change what statements mean, or what comes back. */
const odd = {
  DateStyle: "'German, DMY'",
  TimeZone: "'Asia/Kathmandu'",
  IntervalStyle: 'sql_standard',
  bytea_output: 'escape',
  extra_float_digits: '-3',
  standard_conforming_strings: 'off',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  search_path: 'nowhere',
  statement_timeout: '200',
  lock_timeout: '100',
  idle_in_transaction_session_timeout: '100',
  array_nulls: 'off',
  transform_null_equals: 'on',
  exit_on_error: 'on',
  gin_fuzzy_search_limit: '1',
  row_security: 'off',
  client_encoding: 'SQL_ASCII',
};

let database: OwnDatabase;
let gatehouse: Gatehouse;
let admin: pg.Client;

beforeAll(async () => {
  database = await copyDatabase();
  admin = new pg.Client({ connectionString: database.environment['DATABASE_URL'] });
  await admin.connect();
  for (const [name, value] of Object.entries(odd)) await setDefault(`${name} = ${value}`);
  gatehouse = await startGatehouse({ DATABASE_POOL_SIZE: '4' }, database);
});
afterAll(async () => {
  await gatehouse?.stop();
  await admin.end();
  await database.drop();
});

const setDefault = (setting: string): Promise<unknown> =>
  admin.query(
    `do $do$ begin execute format('alter database %I set ${setting.replaceAll("'", "''")}', current_database()); end $do$`,
  );

test('nothing that a database has as its default changes what is answered', async () => {
  const { api } = gatehouse;
  const person = await newPerson(gatehouse, { firstName: "O'Neill\\", userName: 'ada.odd' });
  const { token } = await signInAdmin(gatehouse);
  const me = await api.get('/v1/users/me', { token: person.token });
  expect(me.body).toMatchObject({ firstName: "O'Neill\\", userName: 'ada.odd' });
  expect(Math.abs(Date.parse(me.body.createdAt) - Date.now())).toBeLessThan(60_000);
  const answers = [
    await api.get('/v1/users?q=ada.odd', { token }),
    await api.get('/v1/audit', { token }),
    await api.get('/v1/auth/sessions', { token }),
    await api.post('/v1/auth/refresh', { body: { refreshToken: person.refreshToken } }),
    await api.post('/v1/messages', { token, body: { body: 'hello' } }),
    await api.patch('/v1/users/me', { token: person.token, body: { firstName: 'Eve' } }),
    await api.post('/v1/auth/logout', { token: person.token }),
  ];
  expect(answers.map(({ status, text }) => (status < 300 ? 'good' : text))).toEqual(answers.map(() => 'good'));
  expect(answers[0]?.body.items).toHaveLength(1);
});

/** Another client that has a row for itself until it lets go. */
async function lockUser(id: string): Promise<() => Promise<unknown>> {
  const client = new pg.Client({ connectionString: database.environment['DATABASE_URL'] });
  await client.connect();
  await client.query(
    'set idle_in_transaction_session_timeout = 0; set search_path = public; set statement_timeout = 0',
  );
  await client.query('begin');
  await client.query('select from users where id = $1 for update', [id]);
  return () => client.end();
}

test('while the row of one user is locked, only that user waits', async () => {
  const { api } = gatehouse;
  const [locked, other] = [await newPerson(gatehouse), await newPerson(gatehouse)];
  const letGo = await lockUser(locked.id);
  const { userName, password } = locked;
  const waiting = [
    ...Array.from({ length: 6 }, () => api.post('/v1/auth/login', { body: { userName, password } })),
    ...Array.from({ length: 4 }, () => api.patch('/v1/users/me', { token: locked.token, body: { firstName: 'Eve' } })),
  ];
  await expect.poll(lockWaits).toBeGreaterThan(0);
  const answered = Promise.all(waiting);
  const most = mostLockWaitsUntil(answered);
  await signIn(gatehouse, other);
  expect((await api.get('/v1/users/me', { token: other.token })).status).toBe(200);
  expect((await api.patch('/v1/users/me', { token: other.token, body: { firstName: 'Bob' } })).status).toBe(200);
  const answers = await answered;
  // however many wait for the row, they hold one connection of the four
  expect(await most).toBe(1);
  await letGo();
  for (const { status, body, headers } of answers) {
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
  }
  await signIn(gatehouse, locked);
});

async function mostLockWaitsUntil(end: Promise<unknown>): Promise<number> {
  const over = end.then(() => undefined);
  for (let most = 0; ;) {
    const count = await Promise.race([over, lockWaits()]);
    if (count === undefined) return most;
    most = Math.max(most, count);
  }
}

async function lockWaits(): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
     where datname = current_database() and application_name = 'gatehouse' and wait_event_type = 'Lock'`,
  );
  return rows[0]?.count ?? 0;
}

/** The first inserts into a table fail as if they had lost against another transaction. */
const losesTwice = (table: string, code: string): string => `
  create sequence public.attempts_${table};
  create function public.lose_${table}() returns trigger language plpgsql as $$ begin
    if nextval('public.attempts_${table}') <= 2 then raise exception 'lost' using errcode = '${code}'; end if;
    return new;
  end $$;
  create trigger lose before insert on public.${table} for each row execute function public.lose_${table}()`;

test('a transaction that loses against another one is retried', async () => {
  const { api } = gatehouse;
  const person = await newPerson(gatehouse);
  await admin.query(losesTwice('users', '40001'));
  await admin.query(losesTwice('sessions', '40P01'));
  await admin.query(losesTwice('revocations', '40001'));
  const body = registration();
  expect((await api.post('/v1/users', { body })).status).toBe(201);
  await signIn(gatehouse, { userName: String(body['userName']), password: String(body['password']) });
  expect((await api.post('/v1/auth/logout', { token: person.token })).status).toBeLessThan(300);
  expect((await api.get('/v1/users/me', { token: person.token })).status).toBe(401);
});

test.for(['53300', '55P03', '57014', '57P01', '58030', '08006', '25006', '40001', '28000'])(
  'SQLSTATE %s is 503 with Retry-After, not a fault of ours',
  async (code) => {
    const { api } = gatehouse;
    await admin.query(
      `create or replace function public.lose_users() returns trigger language plpgsql as $$ begin
         raise exception 'not now' using errcode = '${code}'; end $$`,
    );
    const { status, body, headers } = await api.post('/v1/users', { body: registration() });
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
  },
);

test('a service that would begin anew beside its own tables does not start', async () => {
  const url = `${database.environment['DATABASE_URL'] ?? ''}?options=-c%20search_path%3Dnowhere`;
  await expect(startGatehouse({ DATABASE_URL: url }, database)).rejects.toThrow(/tables are in the schema public/);
});

test('a setting that no session may change is named at start', async () => {
  const other = await copyDatabase();
  const client = new pg.Client({ connectionString: other.environment['DATABASE_URL'] });
  await client.connect();
  await client.query(
    `do $$ begin execute format('alter database %I set session_replication_role = replica', current_database()); end $$`,
  );
  await client.end();
  await expect(startGatehouse({}, other)).rejects.toThrow(/setting session_replication_role is 'replica'/);
  await other.drop();
});
