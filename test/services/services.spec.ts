import { beforeAll, describe, expect, test } from 'vitest';

import { scopes } from '#libs/platform/access';

import type { Answer } from '../support/api.js';
import { isAccepted, newPerson, type Person, signInAdmin, uniqueName } from '../support/people.js';
import { keyOf, newService } from '../support/services.js';
import type { Gatehouse } from '../support/start-gatehouse.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let token: string;
let person: Person;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
  person = await newPerson(gatehouse);
});

const pathOf = (name: string): string => `/v1/services/${name}`;
/** Whether a key with `users:read` still lets its service in. */
const statusOf = async (headers: Record<string, string>): Promise<number> =>
  (await gatehouse.api.get('/v1/users?limit=1', { headers })).status;
const reader = () => newService(gatehouse, { token, scopes: ['users:read'] });

describe('keeping services', () => {
  test('one is created, read, listed, changed and deleted', async () => {
    const { api } = gatehouse;
    const name = uniqueName('billing');
    const body = { name, description: 'Sends invoices', scopes: ['users:read', 'users:read'] };
    const created = await api.post('/v1/services', { token, body });
    expect([created.status, created.headers.get('location')]).toEqual([201, pathOf(name)]);
    const { secret, ...view } = created.body;
    expect(view).toMatchObject({ name, description: 'Sends invoices', scopes: ['users:read'], status: 'active' });
    expect(Buffer.from(secret, 'base64url').length).toBeGreaterThanOrEqual(32);
    expect((await api.get(pathOf(name), { token })).body).toEqual(view);
    expect((await api.get('/v1/services', { token })).body.items).toContainEqual(view);

    const changed = await api.patch(pathOf(name), { token, body: { description: null, scopes: [] } });
    expect(changed.body).toMatchObject({ name, description: null, scopes: [], status: 'active' });
    expect((await api.delete(pathOf(name), { token })).status).toBe(204);
    expect((await api.get(pathOf(name), { token })).body.code).toBe('service-not-found');
  });

  test('a secret is shown once: in no later answer and not in the log', async () => {
    const { api, log } = gatehouse;
    const { name, secret } = await reader();
    const rotated = (await api.post(`${pathOf(name)}/secret`, { token })).body.secret;
    const audit = await api.get('/v1/audit?limit=100', { token });
    const seen = [await api.get(pathOf(name), { token }), await api.get('/v1/services', { token }), audit];
    await statusOf(keyOf(name, rotated));
    const texts = [...seen.map(({ text }) => text), JSON.stringify(log)];
    expect(texts.filter((text) => text.includes(secret) || text.includes(rotated))).toEqual([]);
  });

  const refusedBodies: [string, object][] = [
    ['a name with capitals', { name: 'Billing', scopes: [] }],
    ['a name of one letter', { name: 'b', scopes: [] }],
    ['a name of 64 characters', { name: 'b'.repeat(64), scopes: [] }],
    ['a name with a dot', { name: 'bill.ing', scopes: [] }],
    ['a name that starts with a digit', { name: '1st', scopes: [] }],
    ['a name with a line feed', { name: 'billing\n', scopes: [] }],
    ['our own name', { name: 'gatehouse', scopes: [] }],
    ['no name', { scopes: [] }],
    ['no scopes', { name: 'billing' }],
    ['an unknown scope', { name: 'billing', scopes: ['users:delete'] }],
    ['an unknown field', { name: 'billing', scopes: [], secret: 'of my own' }],
    ['a description of 201 characters', { name: 'billing', scopes: [], description: 'd'.repeat(201) }],
  ];
  test.each(refusedBodies)('%s is refused', async (_, body) => {
    const answer = await gatehouse.api.post('/v1/services', { token, body });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
  });

  test('a name that another service has is refused', async () => {
    const { name } = await reader();
    const answer = await gatehouse.api.post('/v1/services', { token, body: { name, scopes: [] } });
    expect([answer.status, answer.body.code]).toEqual([409, 'service-name-taken']);
  });

  const routes: [string, string, object?][] = [
    ['POST', '/v1/services', { name: 'mine', scopes: [] }],
    ['GET', '/v1/services'],
    ['GET', '/v1/services/nobody-here'],
    ['PATCH', '/v1/services/nobody-here', { status: 'active' }],
    ['POST', '/v1/services/nobody-here/secret'],
    ['DELETE', '/v1/services/nobody-here'],
  ];
  test.each(routes)('%s %s is for administrators only', async (method, path, body) => {
    const { headers } = await newService(gatehouse, { token, scopes });
    const callers = [{ token: person.token }, { headers }, {}];
    const answers = await Promise.all(callers.map((caller) => gatehouse.api.call(method, path, { ...caller, body })));
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 401]);
  });

  test.each(routes.slice(2))('%s %s finds nothing', async (method, path, body) => {
    const answer = await gatehouse.api.call(method, path, { token, body });
    expect([answer.status, answer.body.code]).toEqual([404, 'service-not-found']);
  });
});

describe('what a key is good for', () => {
  test('a new secret works at once, the one before for another day, and the one before that no more', async () => {
    const { name, headers } = await reader();
    const rotate = () => gatehouse.api.post(`${pathOf(name)}/secret`, { token });
    const { secret, previousUntil } = (await rotate()).body;
    expect(Math.abs(Date.parse(previousUntil) - Date.now() - 86_400_000)).toBeLessThan(30_000);
    expect([await statusOf(headers), await statusOf(keyOf(name, secret))]).toEqual([200, 200]);
    const third = (await rotate()).body.secret;
    const keys = [headers, keyOf(name, secret), keyOf(name, third)];
    expect(await Promise.all(keys.map(statusOf))).toEqual([401, 200, 200]);
  });

  test('a secret that has leaked is ended at once by a rotation that revokes it', async () => {
    const { name, headers } = await reader();
    const { secret, previousUntil } = (await gatehouse.api.post(`${pathOf(name)}/secret?revoke=true`, { token })).body;
    expect(previousUntil).toBe(null);
    expect([await statusOf(headers), await statusOf(keyOf(name, secret))]).toEqual([401, 200]);
  });

  test('scopes and status act at once, in both directions', async () => {
    const { name, headers } = await reader();
    const changes = [{ scopes: [] }, { scopes: ['users:read'] }, { status: 'deactivated' }, { status: 'active' }];
    const statuses: number[] = [];
    for (const body of changes) {
      expect((await gatehouse.api.patch(pathOf(name), { token, body })).status).toBe(200);
      statuses.push(await statusOf(headers));
    }
    expect(statuses).toEqual([403, 200, 401, 200]);
  });

  test('the key of a deleted service is dead at once, also for a new service of its name', async () => {
    const { name, headers } = await reader();
    await gatehouse.api.delete(pathOf(name), { token });
    expect(await statusOf(headers)).toBe(401);
    await gatehouse.api.post('/v1/services', { token, body: { name, scopes: ['users:read'] } });
    expect(await statusOf(headers)).toBe(401);
  });

  test('with users:read a service lists users and reads one', async () => {
    const { headers } = await reader();
    const path = `/v1/users/${person.id}`;
    expect((await gatehouse.api.get('/v1/users', { headers })).body.items).toContainEqual(
      expect.objectContaining({ id: person.id }),
    );
    expect((await gatehouse.api.get(path, { headers })).body.userName).toBe(person.userName);
    const byName = await gatehouse.api.get(`/v1/users/by-user-name/${person.userName}`, { headers });
    expect(byName.body.id).toBe(person.id);
  });

  const beyond: [string, string, object?][] = [
    ['GET', '/v1/users'],
    ['GET', '/v1/users/PERSON'],
    ['PATCH', '/v1/users/PERSON', { firstName: 'Eve' }],
    ['DELETE', '/v1/users/PERSON'],
    ['POST', '/v1/auth/logout'],
    ['GET', '/v1/auth/sessions'],
    ['GET', '/v1/audit'],
  ];
  test.each(beyond)('%s %s is closed to a service without the scope', async (method, path, body) => {
    const { headers } = await newService(gatehouse, { token, scopes: ['tokens:introspect'] });
    const answer = await gatehouse.api.call(method, path.replace('PERSON', person.id), { headers, body });
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  });

  test("a service that brings a user's token acts for that user, and the log names both", async () => {
    const { name, headers } = await newService(gatehouse, { token, scopes: [] });
    const mine = await gatehouse.api.get('/v1/users/me', { headers, token: person.token });
    expect(mine.body.id).toBe(person.id);
    expect((await gatehouse.api.get('/v1/users', { headers, token: person.token })).status).toBe(403);
    const requestId = mine.headers.get('x-request-id');
    const line = gatehouse.log.find((entry) => entry['requestId'] === requestId);
    expect(line?.['caller']).toBe(`user:${person.id} via service:${name}`);
  });

  test('a bad key is not made up for by a good token, nor the other way round', async () => {
    const { name, headers } = await reader();
    const badKey = await gatehouse.api.get('/v1/users/me', { token: person.token, headers: keyOf(name, 'wrong') });
    expect([badKey.status, badKey.body.code]).toEqual([401, 'invalid-service-key']);
    const badToken = await gatehouse.api.get('/v1/users', { token: 'garbage', headers });
    expect([badToken.status, badToken.body.code]).toEqual([401, 'invalid-token']);
  });
});

const refreshWith = (refreshToken: string, headers: Record<string, string> = {}): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken }, headers });
const begin = async (headers: Record<string, string>): Promise<any> => {
  const { userName, password } = person;
  return (await gatehouse.api.post('/v1/auth/login', { body: { userName, password }, headers })).body;
};

describe('the sessions that a service began', () => {
  test('go on with its key or with none, and not with the key of another service, which ends nothing', async () => {
    const mine = await newService(gatehouse, { token, scopes: [] });
    const others = await newService(gatehouse, { token, scopes: [] });
    const first = await begin(mine.headers);
    const refused = await refreshWith(first.refreshToken, others.headers);
    expect([refused.status, refused.body.code]).toEqual([401, 'invalid-refresh-token']);
    const second = await refreshWith(first.refreshToken, mine.headers);
    expect(second.status).toBe(200);
    // a retry within the grace as well
    expect((await refreshWith(first.refreshToken, others.headers)).status).toBe(401);
    expect((await refreshWith(first.refreshToken, mine.headers)).body.refreshToken).toBe(second.body.refreshToken);
    expect((await refreshWith(second.body.refreshToken)).status).toBe(200);
    expect(await isAccepted(gatehouse, first.accessToken)).toBe(true);
  });

  test('one that no service began goes on with no key', async () => {
    const some = await newService(gatehouse, { token, scopes: [] });
    const { refreshToken } = await begin({});
    expect((await refreshWith(refreshToken, some.headers)).status).toBe(401);
    expect((await refreshWith(refreshToken)).status).toBe(200);
  });

  test.each([
    ['deactivated', ({ api }: Gatehouse, path: string) => api.patch(path, { token, body: { status: 'deactivated' } })],
    ['deleted', ({ api }: Gatehouse, path: string) => api.delete(path, { token })],
  ])('end with it when it is %s, and stay ended', async (how, end) => {
    const ending = await newService(gatehouse, { token, scopes: [] });
    const sessions = [await begin(ending.headers), await begin(ending.headers)];
    const other = await begin({});
    await end(gatehouse, pathOf(ending.name));
    if (how === 'deactivated') await gatehouse.api.patch(pathOf(ending.name), { token, body: { status: 'active' } });
    for (const { accessToken, refreshToken } of sessions) {
      expect(await isAccepted(gatehouse, accessToken)).toBe(false);
      expect((await refreshWith(refreshToken)).status).toBe(401);
    }
    expect(await isAccepted(gatehouse, other.accessToken)).toBe(true);
    const explained = await gatehouse.api.post('/v1/auth/explain', { token, body: { token: sessions[0].accessToken } });
    expect(explained.body).toMatchObject({ reason: 'revoked', cause: `service-${how}` });
    const event = how === 'deleted' ? 'service-deleted' : 'service-changed';
    const { body } = await gatehouse.api.get(`/v1/audit?event=${event}`, { token });
    expect(body.items.map(({ details }: any) => details)).toContainEqual(
      expect.objectContaining({ service: ending.name, sessions: 2 }),
    );
    if (how === 'deactivated')
      expect(await isAccepted(gatehouse, (await begin(ending.headers)).accessToken)).toBe(true);
  });
});

test('all tokens of a session name the service that signed the user in, whoever refreshes', async () => {
  const { api } = gatehouse;
  const { name, headers } = await newService(gatehouse, { token, scopes: ['tokens:introspect'] });
  const introspect = async (text: string): Promise<unknown> =>
    (await api.post('/v1/auth/introspect', { body: new URLSearchParams({ token: text }), headers })).body;
  const { userName, password } = person;
  const login = await api.post('/v1/auth/login', { body: { userName, password }, headers });
  const refreshed = await api.post('/v1/auth/refresh', { body: { refreshToken: login.body.refreshToken } });
  for (const text of [login.body.accessToken, refreshed.body.accessToken, refreshed.body.refreshToken]) {
    expect(await introspect(text)).toMatchObject({ active: true, sub: person.id, client_id: name });
  }
  expect(await introspect(person.refreshToken)).toMatchObject({ active: true, client_id: 'gatehouse' });
});
