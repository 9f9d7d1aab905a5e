import { beforeAll, describe, expect, test } from 'vitest';

import { ask } from '../support/graphql.js';
import { newPerson, type Person, registration, signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let token: string;
let person: Person;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
  person = await newPerson(gatehouse);
});

const get = (path: string, query: Record<string, string>, as = token) =>
  gatehouse.api.get(`${path}?${new URLSearchParams(query).toString()}`, { token: as });

/** What a time in a filter is answered with. */
const times: readonly (readonly [time: string, status: 200 | 400])[] = [
  ['2024-01-31T12:00:00+16:00', 200],
  ['2024-01-31T12:00:00-16:00', 200],
  ['2024-01-31T12:00:00+23:59', 200],
  ['2024-01-31T12:00:00-23:59', 200],
  ['2024-01-31T12:00:00-00:00', 200],
  ['2024-01-31T12:00Z', 400],
  ['2024-02-29T23:59:59.999999999Z', 200],
  [`2024-01-31T12:00:00.${'9'.repeat(200)}Z`, 200],
  ['1582-10-10T00:00:00Z', 200],
  ['0001-01-01T00:00:00Z', 200],
  ['0001-01-01T12:00:00+11:00', 200],
  ['0000-12-31T23:00:00-02:00', 200],
  ['9999-12-31T23:59:59.999Z', 200],
  ['0001-01-01T00:00:00+00:01', 400],
  ['0000-06-01T00:00:00Z', 400],
  ['9999-12-31T23:59:59-00:01', 400],
  ['10000-01-01T00:00:00Z', 400],
  ['-0001-01-01T00:00:00Z', 400],
  ['2024-01-31T12:00:00+24:00', 400],
  ['2024-01-31T24:00:00Z', 400],
  ['2016-12-31T23:59:60Z', 400],
  ['2023-02-29T00:00:00Z', 400],
  ['2024-01-31', 400],
  ['2024-01-31T12:00:00', 400],
  ['infinity', 400],
  ['-infinity', 400],
  ['now', 400],
  ['epoch', 400],
  ['1706702400', 400],
  ['2024-01-31T12:00:00Z\0', 400],
];

describe.for(times)('the time %s', ([time, status]) => {
  test.for([
    ['/v1/users', 'createdAfter'],
    ['/v1/users', 'createdBefore'],
    ['/v1/audit', 'after'],
    ['/v1/audit', 'before'],
  ])('in %s, as %s, is answered with what the schema says', async ([path = '', name = '']) => {
    expect((await get(path, { [name]: time })).status).toBe(status);
    if (path === '/v1/users') {
      expect((await get(path, { [name]: time, sort: 'userName', count: 'exact', q: 'ada' })).status).toBe(status);
    }
  });

  test('is answered alike by GraphQL', async () => {
    const query = `query ($time: DateTime) {
      users(filter: { createdAfter: $time, createdBefore: $time }) { nodes { id } }
      auditEvents(filter: { after: $time, before: $time }) { nodes { id } }
    }`;
    const answer = await ask(gatehouse, query, { token, variables: { time } });
    expect(answer.code).toBeOneOf(status === 200 ? [undefined] : ['invalid-request', 'invalid-encoding']);
  });
});

/**
 * An instant as a clock of that zone shows it; in the farthest ones it is
 * almost a day before or behind.
 */
const zoned = (ms: number, offset: string, hours: number): string =>
  new Date(ms + hours * 3_600_000).toISOString().replace('Z', offset);

test('a filter takes the instant that its offset makes of it', async () => {
  const { body } = await gatehouse.api.get('/v1/users/me', { token });
  const at = Date.parse(body.createdAt);
  for (const [offset, hours] of [
    ['+23:00', 23],
    ['-23:00', -23],
    ['+16:00', 16],
  ] as const) {
    const has = async (query: Record<string, string>): Promise<boolean> =>
      (await get('/v1/users', { ...query, userName: 'admin' })).body.items.length > 0;
    expect(await has({ createdAfter: zoned(at - 1, offset, hours) }), offset).toBe(true);
    expect(await has({ createdAfter: zoned(at, offset, hours) }), offset).toBe(false);
    expect(await has({ createdBefore: zoned(at + 1, offset, hours) }), offset).toBe(true);
    expect(await has({ createdBefore: zoned(at, offset, hours) }), offset).toBe(false);
    // finer than what is kept
    const finer = zoned(at, '', hours) + `001${offset}`;
    expect(await has({ createdBefore: finer }), offset).toBe(true);
    expect(await has({ createdAfter: finer }), offset).toBe(false);
  }
});

const texts = ['\0', 'a\0b', '\ufffd', '\u{10ffff}', '\uffff', `'`, '\\', '%', '{}', '-1', '0', 'null', '1e999', ' '];
const numbers = ['2147483648', '9223372036854775808', '-1', '1e9', '99999999999999999999', 'NaN', 'Infinity', '0x10'];
const uuid = '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e';
const uuids = [
  uuid.toUpperCase(),
  `{${uuid}}`,
  uuid.replaceAll('-', ''),
  `urn:uuid:${uuid}`,
  `${uuid}0`,
  `${uuid} `,
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  'zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz',
];
const cursorOf = (...parts: unknown[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');
const cursors = [
  cursorOf(Number.MAX_SAFE_INTEGER, uuid),
  cursorOf(8_640_000_000_000_001, uuid),
  cursorOf(1e300, uuid),
  cursorOf(-1, uuid),
  cursorOf(0, uuid.toUpperCase()),
  cursorOf('AAAAAAAA', Number.MAX_SAFE_INTEGER, uuid),
  cursorOf('AAAAAAAA', '\0'),
];

// a filter lets it through or refuses it; the database never has to
describe.for<[path: string, names: readonly string[], values: readonly string[]]>([
  ['/v1/users', ['userName', 'email', 'q', 'status', 'role', 'sort', 'count'], [...texts, ...numbers, ...uuids]],
  ['/v1/users', ['limit'], [...texts, ...numbers]],
  ['/v1/users', ['cursor'], [...cursors, ...texts]],
  ['/v1/audit', ['event', 'userId'], [...texts, ...numbers, ...uuids]],
  ['/v1/audit', ['limit'], numbers],
  ['/v1/audit', ['cursor'], [...cursors, ...texts]],
  ['/v1/messages', ['limit'], numbers],
  ['/v1/messages', ['cursor'], [...cursors, ...texts]],
  ['/v1/auth/sessions', ['userId'], [...uuids, ...texts]],
])('of %s', ([path, names, values]) => {
  test.for(names)('the filter %s never fails in the database', async (name) => {
    const answers = await Promise.all(
      values.map(async (value) => [value, (await get(path, { [name]: value })).status]),
    );
    expect(answers.filter(([, status]) => ![200, 400, 403, 404].includes(Number(status)))).toEqual([]);
  });
});

test.for([
  ['/v1/users/', ''],
  ['/v1/users/by-user-name/', ''],
  ['/v1/users/', '/avatar'],
  ['/v1/avatars/', '-256.webp'],
  ['/v1/services/', ''],
  ['/v1/services/', '/usage'],
  ['/v1/messages/', ''],
])('nor does a value in the path %s…%s', async ([before = '', after = '']) => {
  const answers = await Promise.all(
    [...texts, ...numbers, ...uuids].map(async (value) => {
      const { status } = await gatehouse.api.get(`${before}${encodeURIComponent(value)}${after}`, { token });
      return [value, status];
    }),
  );
  expect(answers.filter(([, status]) => Number(status) >= 500)).toEqual([]);
});

test.for<[path: string, body: Record<string, unknown>]>([
  ['/v1/messages', { body: 'x', expiresIn: 2 ** 31 }],
  ['/v1/messages', { body: 'x', expiresIn: 2 ** 53 }],
  ['/v1/messages', { body: 'x', maxReads: 2 ** 31 }],
  ['/v1/messages', { body: 'x', maxReads: 1e300 }],
  ['/v1/messages', { body: 'x', maxReads: 0.5 }],
  ['/v1/messages', { body: '\0' }],
  ['/v1/messages', { body: '\ud800' }],
  ...uuids.map((recipientId): [string, Record<string, unknown>] => ['/v1/messages', { body: 'x', recipientId }]),
  ['/v1/users', registration({ firstName: '\0' })],
  ['/v1/users', registration({ lastName: '\udc00' })],
  ['/v1/users', registration({ email: 'a\0@example.org' })],
  ['/v1/users', registration({ userName: '\ud800' })],
  ['/v1/services', { name: 'edge', scopes: [], description: '\0' }],
  ['/v1/services', { name: 'edge', scopes: [], plan: { read: { limit: 2 ** 31 } } }],
  ['/v1/services', { name: 'edge', scopes: [], plan: { read: { windowSeconds: 1e300 } } }],
])('what %s cannot keep it refuses: %o', async ([path, body]) => {
  expect((await gatehouse.api.post(path, { body, token })).status).toBe(400);
});

test('text escaped in a GraphQL document is held against the same rules', async () => {
  for (const text of [String.raw`\u0000`, String.raw`\uD800`, String.raw`a\u{0}`]) {
    const query = `mutation { updateUser(id: "me", change: { firstName: "${text}" }) { id } }`;
    const answer = await ask(gatehouse, query, { token: person.token });
    expect(answer.code, text).toBeOneOf(['invalid-request', 'malformed-query']);
    const filter = await ask(gatehouse, `{ users(filter: { q: "${text}", userName: "${text}" }) { nodes { id } } }`, {
      token,
    });
    expect(filter.code, text).not.toBe('internal-error');
  }
});
