import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, describe, expect, test } from 'vitest';

import { newPerson, registration, signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
  await insert(44);
});

/**
 * Users as SQL, since none of them signs in; many of one millisecond, so that the time alone does
 * not order them.
 */
async function insert(count: number): Promise<void> {
  await gatehouse.app
    .get(SqlEntityManager)
    .fork()
    .execute(
      `insert into users (id, user_name, user_name_key, first_name, last_name, roles, password_hash, created_at, updated_at)
      select gen_random_uuid(), name, name, 'Ada', 'Lovelace', '{user}', 'none', at, at from (
        select 'user-' || gen_random_uuid() as name, now() - interval '1 hour' + make_interval(secs => n / 10) as at
        from generate_series(1, ?::int) as n
      ) as made`,
      [count],
    );
}

const list = (query: string) => gatehouse.api.get(`/v1/users${query}`, { token });

/** The users of all pages, and what happens between two of them. */
async function readAll(limit: number, between: () => Promise<unknown> = async () => undefined): Promise<any[]> {
  const users: any[] = [];
  for (let path: string | undefined = `/v1/users?limit=${limit}`; path !== undefined;) {
    const { status, body, headers } = await gatehouse.api.get(path, { token });
    expect(status).toBe(200);
    users.push(...body.items);
    path = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
    if (path !== undefined) expect(new URL(path, gatehouse.url).searchParams.get('cursor')).toBe(body.nextCursor);
    else expect(body.nextCursor).toBeNull();
    await between();
  }
  return users;
}

const idsOf = (users: readonly any[]): string[] => users.map(({ id }) => id);

describe('pages', () => {
  test.for([1, 7, 45, 100])('of %i have every user once, newest first', async (limit) => {
    const users = await readAll(limit);
    expect(new Set(idsOf(users)).size).toBe(45);
    expect(users).toHaveLength(45);
    const times = users.map(({ createdAt }) => String(createdAt));
    expect(times).toEqual(times.toSorted().toReversed());
  });

  test('show each user once while others are created and deleted', async () => {
    const before = idsOf(await readAll(100));
    const [gone] = before.slice(-1);
    const users = await readAll(7, async () => {
      await gatehouse.api.post('/v1/users', { body: registration() });
      await gatehouse.api.delete(`/v1/users/${gone}`, { token });
    });
    const seen = idsOf(users);
    expect(seen).toEqual(before.filter((id) => id !== gone));
  });

  test('have 20 users if no limit is given', async () => {
    expect((await list('')).body.items).toHaveLength(20);
  });
});

test.for(['0', '101', '-1', '1.5', '1e2', '', 'ten', '%20', '01000'])('a limit of "%s" is refused', async (limit) => {
  const { status, body } = await list(`?limit=${limit}`);
  expect([status, body.code, body.errors[0].path]).toEqual([400, 'invalid-request', 'limit']);
});

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const id = '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e';
/**
 * Made as ours are, for the query that is asked; it is what comes after the digest that is not
 * ours.
 */
const forged = async (...values: readonly unknown[]): Promise<string> => {
  const { nextCursor } = (await list('?limit=1')).body;
  const [digest] = JSON.parse(Buffer.from(nextCursor, 'base64url').toString());
  return encode([digest, ...values]);
};

test.for<[string, () => Promise<string> | string]>([
  ['text', () => 'nothing'],
  ['nothing', () => ''],
  ['another form', () => encode({ ms: 1, id })],
  ['a digest that is none', () => encode([7, 1, id])],
  ['no time', () => forged(null, id)],
  ['a time below zero', () => forged(-1, id)],
  ['a time that nobody will see', () => forged(9e15, id)],
  ['a time that is no number', () => forged('1', id)],
  ['half a millisecond', () => forged(1.5, id)],
  ['no id', () => forged(1, 'x')],
  ['SQL', () => forged(1, "'; drop table users; --")],
  ['more than belongs in it', () => forged(1, id, 1)],
  ['a user name where a time belongs', () => forged('ada')],
  ['another spelling', async () => `${await forged(1, id)}=`],
  ['a foreign letter', async () => `${await forged(1, id)}%20`],
])('a cursor of %s is refused', async ([, made]) => {
  const { status, body } = await list(`?cursor=${await made()}`);
  expect([status, body.code]).toEqual([400, 'invalid-cursor']);
});

test('the cursor that the forged ones are made from is accepted', async () => {
  expect((await list(`?cursor=${await forged(1, id)}`)).body).toEqual({ items: [], nextCursor: null });
});

test.for([
  'sort=userName',
  'sort=createdAt',
  'role=admin',
  'q=ada',
  'status=active',
  'createdAfter=2020-01-01T00:00:00Z',
])('a cursor does not go on with another query: %s', async (other) => {
  const { nextCursor } = (await list('?limit=1')).body;
  const { status, body } = await list(`?cursor=${nextCursor}&${other}`);
  expect([status, body.code]).toEqual([400, 'cursor-of-another-query']);
});

test('a cursor goes on with another limit, and with a count', async () => {
  const { nextCursor } = (await list('?limit=1')).body;
  expect((await list(`?limit=2&count=exact&cursor=${nextCursor}`)).body.items).toHaveLength(2);
});

test('a cut cursor is refused', async () => {
  const { nextCursor } = (await list('?limit=1')).body;
  expect((await list(`?cursor=${nextCursor.slice(0, -6)}`)).body.code).toBe('invalid-cursor');
});

test('the list is closed to a plain user', async () => {
  const person = await newPerson(gatehouse);
  expect((await gatehouse.api.get('/v1/users', { token: person.token })).status).toBe(403);
});
