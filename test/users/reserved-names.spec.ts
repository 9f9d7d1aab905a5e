import { beforeAll, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { ask } from '../support/graphql.js';
import { importRow, importUsers } from '../support/imports.js';
import { newPerson, registration, signIn, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let token: string;
let headers: Service['headers'];

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
  headers = (await newService(gatehouse, { token, scopes: ['users:write'] })).headers;
});

const register = (userName: string, as: object = {}): Promise<Answer> =>
  gatehouse.api.post('/v1/users', { body: registration({ userName }), ...as });
const faultsOf = ({ status, body }: Answer): unknown[] => [
  status,
  body.code,
  ...(body.errors ?? []).map(({ path, code }: any) => `${path} ${code}`),
];
const reserved = [400, 'invalid-request', 'userName user-name-reserved'];

test.for([
  'system',
  'Operator',
  'me',
  'аԁміп',
  '0perator',
  'adm1n',
  'ɡatehouse',
  'ꓮꓓꓟꓲꓠ',
  'no-reply',
  'gatehouse-support',
])('nobody registers as %s', async (userName) => {
  expect(faultsOf(await register(userName))).toEqual(reserved);
});

test('neither a signed-in user nor a service may give a reserved name', async () => {
  const person = await newPerson(gatehouse);
  for (const as of [{ token: person.token }, { headers }, { token: person.token, headers }]) {
    expect(faultsOf(await register('support', as))).toEqual(reserved);
  }
});

test('GraphQL refuses a reserved name too', async () => {
  const { firstName, lastName, password } = registration();
  const query = 'mutation ($user: NewUser!) { createUser(user: $user) { id } }';
  const variables = { user: { userName: 'ѕуѕтем', firstName, lastName, password } };
  const { code, errors } = await ask(gatehouse, query, { variables });
  expect([code, errors[0].extensions.errors[0].code]).toEqual(['invalid-request', 'user-name-reserved']);
});

test('an administrator may give a reserved name, and its user signs in and is found by it', async () => {
  const made = await register('Helpdesk', { token });
  expect(made.status).toBe(201);
  await signIn(gatehouse, { userName: 'helpdesk', password: 'seven green bottles' });
  const found = await gatehouse.api.get('/v1/users/by-user-name/helpdesk', { token });
  expect([found.status, found.body.id]).toEqual([200, made.body.id]);
});

test('an administrator imports it, a service does not', async () => {
  const rows = [importRow({ userName: 'postmaster' }), importRow()];
  const byService = await importUsers(gatehouse, rows, { headers });
  expect(byService.results).toEqual([
    expect.objectContaining({
      row: 1,
      status: 'refused',
      code: 'invalid-request',
      errors: [expect.objectContaining({ path: 'userName', code: 'user-name-reserved' })],
    }),
    expect.objectContaining({ row: 2, status: 'created' }),
  ]);
  const byAdministrator = await importUsers(gatehouse, rows, { token });
  expect(byAdministrator.summary).toMatchObject({ created: 1, exists: 1, refused: 0 });
});
