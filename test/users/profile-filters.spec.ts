import { beforeAll, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { ask } from '../support/graphql.js';
import { signInAdmin } from '../support/people.js';
import { exampleSchemas, schemaFiles } from '../support/schema-files.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ environment: schemaFiles(exampleSchemas) });
/** Another service, where other properties can be filtered by. */
const other = useGatehouse({
  environment: schemaFiles({
    profile: { type: 'object', properties: { 'a.b c/é': { type: 'string', 'x-filter': true } } },
  }),
});
let token: string;

const departments = ['sales', 'purchase', 'Süd & "Nord"', 'true', '7', '{}', "o'clock \\"];

/** 600 users: with roles and profiles in all mixtures, and one who alone has what is rare. */
const insert = `insert into users (id, user_name, user_name_key, first_name, last_name, roles, status, password_hash,
    created_at, updated_at, subject, profile, metadata)
  select gen_random_uuid(), name, name, 'First', 'Last',
    case n % 3 when 0 then '{user}' when 1 then '{user,clerk}' else '{auditor}' end::text[],
    case when n % 5 = 0 then 'deactivated' else 'active' end, 'none', at, at,
    case when n % 2 = 0 then 'legacy|' || n end,
    case when n % 4 > 0 then jsonb_build_object('department', $1::jsonb -> (n % jsonb_array_length($1::jsonb)),
      'level', n % 9, 'remote', n % 2 = 0, 'score', n / 4.0) else '{}'::jsonb end,
    case when n % 6 = 0 then jsonb_build_object('orgId', 'o' || n % 10) else '{}'::jsonb end
  from generate_series(1, 600) as n, lateral (select now() - make_interval(secs => n) as at, 'p' || lpad(n::text, 4, '0') as name) as made`;

let everybody: readonly any[];

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
  await gatehouse.app.get(Sql).rows({ text: insert }, [JSON.stringify(departments)]);
  everybody = await readAll('sort=createdAt');
});

const list = (query: string, from = gatehouse): Promise<Answer> => from.api.get(`/v1/users?${query}`, { token });

async function readAll(query: string, limit = 100): Promise<any[]> {
  const users: any[] = [];
  let cursor: string | null = '';
  // a walk that does not end is a fault, not a time-out
  for (let page = 0; cursor !== null; page++) {
    expect(page).toBeLessThan(50);
    const { status, body, text } = await list(`${query}&limit=${limit}${cursor && `&cursor=${cursor}`}`);
    expect(status, text).toBe(200);
    users.push(...body.items);
    cursor = body.nextCursor;
  }
  return users;
}

const namesOf = (users: readonly any[]): string[] => users.map(({ userName }) => userName);
const encoded = (query: Record<string, string>): string => new URLSearchParams(query).toString();

test.for<[query: Record<string, string>, fits: (user: any) => boolean]>([
  ...departments.map((department): [Record<string, string>, (user: any) => boolean] => [
    { 'profile.department': department },
    (user) => user.profile.department === department,
  ]),
  [{ 'profile.department': 'nobody' }, () => false],
  [{ 'profile.level': '3' }, (user) => user.profile.level === 3],
  [{ 'profile.level': '3.0' }, (user) => user.profile.level === 3],
  [{ 'profile.score': '1.25e1' }, (user) => user.profile.score === 12.5],
  [{ 'profile.score': '150' }, (user) => user.profile.score === 150],
  [{ 'profile.remote': 'true' }, (user) => user.profile.remote === true],
  [
    { 'profile.remote': 'false', 'profile.level': '1' },
    ({ profile }) => profile.remote === false && profile.level === 1,
  ],
  [{ 'metadata.orgId': 'o4' }, (user) => user.metadata.orgId === 'o4'],
  [
    { 'metadata.orgId': 'o2', 'profile.department': 'sales', status: 'active' },
    (user) => user.metadata.orgId === 'o2' && user.profile.department === 'sales' && user.status === 'active',
  ],
  [{ role: 'clerk' }, (user) => user.roles.includes('clerk')],
  [{ role: 'auditor', 'profile.level': '5' }, (user) => user.roles.includes('auditor') && user.profile.level === 5],
  [{ role: 'user' }, (user) => user.roles.includes('user')],
  [{ role: 'no-such-role' }, () => false],
  [{ subject: 'legacy|300' }, (user) => user.subject === 'legacy|300'],
  [{ subject: 'legacy|300', role: 'clerk' }, () => false],
  [{ q: 'p059', 'profile.remote': 'true' }, (user) => user.userName.includes('p059') && user.profile.remote === true],
])('%j gives just the users that fit, in both orders, by pages, and counts them', async ([query, fits]) => {
  const expected = everybody.filter((user) => fits(user));
  expect(namesOf(await readAll(`sort=createdAt&${encoded(query)}`))).toEqual(namesOf(expected));
  const byName = await readAll(`sort=-userName&${encoded(query)}`, 37);
  expect(namesOf(byName).toSorted()).toEqual(namesOf(expected).toSorted());
  const { body } = await list(`limit=1&count=exact&${encoded(query)}`);
  expect([body.total, body.totalIs]).toEqual([expected.length, 'exact']);
  expect((await list(`limit=1&count=estimated&${encoded(query)}`)).status).toBe(200);
});

test('a user without a subject of its own is found by its id', async () => {
  const one = everybody.find(({ userName }) => userName === 'p0001');
  expect((await list(`subject=${one.id}`)).body.items).toEqual([one]);
});

test.for<[query: string, path: string, code: string]>([
  ['profile.nickName=x', 'profile.nickName', 'unknown-filter'],
  ['profile.orgId=x', 'profile.orgId', 'unknown-filter'],
  ['profile.constructor=x', 'profile.constructor', 'unknown-filter'],
  ['profile.__proto__=x', 'profile.__proto__', 'unknown-filter'],
  ['profile.=x', 'profile.', 'unknown-filter'],
  ['metadata.department=x', 'metadata.department', 'unknown-filter'],
  ['profile.level=1.5', 'profile.level', 'invalid-type'],
  ['profile.level=0x1', 'profile.level', 'invalid-type'],
  ['profile.level=', 'profile.level', 'invalid-type'],
  ['profile.score=1e999', 'profile.score', 'invalid-type'],
  ['profile.remote=yes', 'profile.remote', 'invalid-type'],
  ['profile.department=a&profile.department=b', 'profile.department', 'invalid-type'],
  ['profile=x', 'profile', 'unknown-field'],
  ['profiles.department=x', 'profiles.department', 'unknown-field'],
  ['__proto__=x', '__proto__', 'unknown-field'],
  ['filters=x', 'filters', 'invalid-type'],
  ['filters=x&profile.level=1', 'filters', 'invalid-type'],
  ['role=No%20Role', 'role', 'invalid-format'],
  ['subject=', 'subject', 'too-small'],
])('%s is refused', async ([query, path, code]) => {
  const { status, body } = await list(query);
  expect([status, body.code, body.errors.map((fault: any) => [fault.path, fault.code])]).toEqual([
    400,
    'invalid-request',
    [[path, code]],
  ]);
});

test('a refusal says what can be filtered by, which is what the schemas of that service say', async () => {
  const { body } = await list('profile.x=1');
  expect(body.errors[0].message).toBe(
    'is no filter; there are profile.department, profile.level, profile.remote, profile.score, metadata.orgId',
  );
  const { token: boss } = await signInAdmin(other);
  const refused = await other.api.get('/v1/users?profile.department=sales', { token: boss });
  expect(refused.body.errors[0].message).toBe('is no filter; there are profile.a.b c/é');
  const name = encodeURIComponent('profile.a.b c/é');
  await other.api.patch('/v1/users/me', { token: boss, body: { profile: { 'a.b c/é': 'x', level: 'any' } } });
  expect((await other.api.get(`/v1/users?${name}=x`, { token: boss })).body.items).toHaveLength(1);
  expect((await other.api.get(`/v1/users?${name}=y`, { token: boss })).body.items).toHaveLength(0);
});

test('a cursor belongs to its filters, in whatever order they come', async () => {
  const { nextCursor } = (await list('limit=1&profile.remote=true&profile.level=2')).body;
  const again = (query: string) => list(`limit=1&${query}&cursor=${nextCursor}`);
  expect((await again('profile.level=2&profile.remote=true')).status).toBe(200);
  for (const query of ['profile.remote=true', 'profile.remote=true&profile.level=4', '', 'metadata.orgId=o2']) {
    expect((await again(query)).body.code, query).toBe('cursor-of-another-query');
  }
});

describe('in GraphQL', () => {
  const query = 'query ($filter: UserFilter) { users(filter: $filter, first: 100) { nodes { userName } totalCount } }';
  const found = async (filter: object) => ask(gatehouse, query, { token, variables: { filter } });

  test('the same filters take values of their types', async () => {
    const filter = { profile: { level: 3, remote: true, department: null }, metadata: null, status: 'ACTIVE' };
    const { data } = await found(filter);
    const expected = everybody.filter(
      ({ profile, status }) => profile.level === 3 && profile.remote === true && status === 'active',
    );
    expect(expected.length).toBeGreaterThan(5);
    expect(namesOf(data.users.nodes).toSorted()).toEqual(namesOf(expected).toSorted());
    expect(data.users.totalCount).toBe(expected.length);
    expect((await found({ subject: 'legacy|8' })).data.users.nodes).toEqual([{ userName: 'p0008' }]);
  });

  test.for([{ profile: { nickName: 'x' } }, { profile: { level: [3] } }, { profile: 'x' }, { metadata: [1] }])(
    '%j is refused',
    async (filter) => {
      expect((await found(filter)).code).toBe('invalid-request');
    },
  );
});
