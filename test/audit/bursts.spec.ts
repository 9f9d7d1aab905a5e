import { beforeAll, expect, test } from 'vitest';

import { AuditBursts } from '#libs/security/audit';

import type { Call } from '../support/api.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let bossToken: string;
let bossId: string;

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  bossId = (await gatehouse.api.get('/v1/users/me', { token: bossToken })).body.id;
});

const itemsOf = async (query: Record<string, string>): Promise<any[]> =>
  (await gatehouse.api.get(`/v1/audit?${new URLSearchParams(query).toString()}`, { token: bossToken })).body.items;
const endOfMinute = (): Promise<void> => gatehouse.app.get(AuditBursts).beforeApplicationShutdown();
const rowsOf = async (event: string, times: number, call: () => Promise<unknown>): Promise<any[]> => {
  await endOfMinute();
  const known = new Set((await itemsOf({ event, limit: '100' })).map(({ id }) => id));
  for (let time = 0; time < times; time++) await call();
  await endOfMinute();
  const rows = await itemsOf({ event, limit: '100' });
  return rows.filter(({ id }) => !known.has(id)).toReversed();
};

test.for<[event: string, path: string, call: (person: Person) => Call, caller: (person: Person) => string]>([
  ['access-denied', 'GET /v1/users', ({ token }) => ({ token }), ({ id }) => `user:${id}`],
  ['service-key-refused', 'GET /v1/users', () => ({ headers: { 'x-service-key': 'shop.guess' } }), () => 'anonymous'],
  [
    'current-password-wrong',
    'PUT /v1/users/me/password',
    ({ token }) => ({ token, body: { currentPassword: 'guess', password: 'eight blue buckets' } }),
    ({ id }) => `user:${id}`,
  ],
  ['sessions-read', 'GET /v1/auth/sessions?userId=', () => ({ token: bossToken }), () => `user:${bossId}`],
  ['users-listed', 'GET /v1/users', () => ({ token: bossToken }), () => `user:${bossId}`],
])(
  '%s: the first is a row at once, the others are one row with their number',
  async ([event, target, call, caller]) => {
    const person = await newPerson(gatehouse);
    const [method = '', path = ''] = target.split(' ');
    const address = path.endsWith('=') ? path + person.id : path;
    const rows = await rowsOf(event, 4, () => gatehouse.api.call(method, address, call(person)));
    expect(rows.map((row) => [row.caller, row.details?.repeats])).toEqual([
      [caller(person), undefined],
      [caller(person), 3],
    ]);
  },
);

test('somebody who looks at what is their own leaves no trace', async () => {
  const person = await newPerson(gatehouse);
  const rows = await rowsOf('sessions-read', 1, () => gatehouse.api.get('/v1/auth/sessions', { token: person.token }));
  expect(rows).toEqual([]);
});
