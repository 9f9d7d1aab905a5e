import { SqlEntityManager } from '@mikro-orm/sql';
import { expect, test } from 'vitest';

import { newPerson, registration, signIn, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const text = (): string => gatehouse.log.map((line) => JSON.stringify(line)).join('\n');
const linesOf = (id: string) => gatehouse.log.filter(({ requestId, msg }) => requestId === id && msg === 'request');
const sql = (statement: string, values: unknown[] = []): Promise<any[]> =>
  gatehouse.app.get(SqlEntityManager).fork().execute(statement, values);

test('a request has one line that says who asked for what, and how it went', async () => {
  const person = await newPerson(gatehouse);
  const ask = (id: string, path: string, token?: string) =>
    gatehouse.api.get(path, { token, headers: { 'x-request-id': id } });
  await ask('good', `/v1/users/${person.id}?secret=1`, person.token);
  await ask('refused', '/v1/users', person.token);
  await ask('anonymous', '/v1/users/me');
  await ask('nowhere', '/v1/nothing?secret=1');
  await ask('public', '/.well-known/jwks.json');
  const caller = `user:${person.id}`;
  const [method, route] = ['GET', '/v1/users/:id'];
  const expected = [
    ['good', { method, route, handler: 'UsersController.get', status: 200, caller, path: `/v1/users/${person.id}` }],
    [
      'refused',
      { route: '/v1/users', handler: 'UserListController.list', status: 403, caller, errorCode: 'forbidden' },
    ],
    ['anonymous', { route: '/v1/users/me', status: 401, caller: 'anonymous', errorCode: 'authentication-required' }],
    ['nowhere', { route: 'unmatched', path: '/v1/nothing', handler: 'none', status: 404, errorCode: 'not-found' }],
    ['public', { handler: 'WellKnownController.jwks', status: 200, caller: 'anonymous' }],
  ] as const;
  for (const [id, fields] of expected) {
    await expect.poll(() => linesOf(id)).toEqual([expect.objectContaining({ level: 'info', ...fields })]);
    expect(linesOf(id)[0]?.['durationMs']).toBeGreaterThan(0);
  }
  expect(text()).not.toContain('secret=1');
});

test('a request without an id has a new one in answer, log and problem', async () => {
  const { headers, body } = await gatehouse.api.get('/v1/nothing');
  const id = headers.get('x-request-id') ?? '';
  expect(id).toMatch(uuid);
  expect(body.requestId).toBe(id);
  await expect.poll(() => linesOf(id)).toHaveLength(1);
});

test('a whole session leaves no secret in the log', async () => {
  const { api } = gatehouse;
  const password = 'marker of seven bottles';
  const person = await newPerson(gatehouse, { password });
  await api.post('/v1/auth/login', { body: { userName: person.userName, password: `${password} wrong` } });
  await api.post('/v1/users', { body: registration({ password: person.userName }) });
  await api.post('/v1/auth/login', { body: `{"userName":"a","password":"${password}"` });
  const refreshed = (await api.post('/v1/auth/refresh', { body: { refreshToken: person.refreshToken } })).body;
  await api.get(`/v1/users/me?token=${refreshed.accessToken}`, { token: refreshed.accessToken });
  await api.post('/v1/auth/logout', { token: refreshed.accessToken });
  await api.get('/v1/users/me', { token: refreshed.accessToken });
  const [row] = await sql('select password_hash from users where id = ?', [person.id]);
  const log = text();
  for (const secret of [password, row.password_hash, person.token, person.refreshToken, refreshed.refreshToken]) {
    expect(log).not.toContain(secret);
    // nor the half of a token that makes it one
    expect(log).not.toContain(secret.split('.').at(-1));
  }
  expect(log).not.toContain('Bearer ');
});

test('an error of the database is logged without the values of its row', async () => {
  const person = await newPerson(gatehouse);
  await sql("alter table users add constraint no_markers check (first_name <> 'Marker')");
  const userName = uniqueName('marked');
  const requestId = 'row-values';
  const fields = { userName, firstName: 'Marker', email: 'marker@example.org' };
  const headers = { 'x-request-id': requestId };
  const { status, body, text: answer } = await gatehouse.api.post('/v1/users', { body: registration(fields), headers });
  expect([status, body.code]).toEqual([500, 'internal-error']);
  const patched = await gatehouse.api.patch('/v1/users/me', {
    token: person.token,
    headers,
    body: { firstName: 'Marker', email: 'marker@example.org' },
  });
  expect(patched.status).toBe(500);
  const errors = () => gatehouse.log.filter((line) => line['context'] === 'Problem' && line['requestId'] === requestId);
  await expect.poll(errors).toHaveLength(2);
  expect(errors()[0]).toMatchObject({ level: 'error', err: { constraint: 'no_markers', stack: expect.any(String) } });
  for (const value of [userName, 'Marker', 'marker@example.org', '$argon2id$']) {
    expect(text()).not.toContain(value);
    expect(answer).not.toContain(value);
  }
  expect(answer).not.toMatch(/constraint|insert|users_/);
  expect((await signIn(gatehouse, person)).token).toBeTruthy();
});
