import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { ask } from '../support/graphql.js';
import { importRow, importUsers } from '../support/imports.js';
import { admin, newPerson, type Person, registration, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { nowSeconds, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const maxAgeSeconds = 600;

const gatehouse = useGatehouse({ own: true });
let boss: Person;
let person: Person;
let service: Service;

beforeAll(async () => {
  const { token, ...rest } = await signInAdmin(gatehouse);
  const { id } = (await gatehouse.api.get('/v1/users/me', { token })).body;
  boss = { id, ...admin, token, ...rest };
  person = await newPerson(gatehouse);
  service = await newService(gatehouse, { token, scopes: ['users:write'] });
});

const claimsOf = (token: string): any => takeApart(gatehouse, token).claims;
/** The same token, of somebody who proved who they are so many seconds ago. */
const aged = (token: string, seconds: number): string =>
  withClaims(takeApart(gatehouse, token), { auth_time: nowSeconds() - seconds });
const stale = ({ token }: { token: string }): string => aged(token, maxAgeSeconds + 1);

function expectRefusal({ status, headers, body }: Answer): void {
  expect([status, body.code]).toEqual([403, 'fresh-authentication-required']);
  // RFC 9470 §3
  expect(headers.get('www-authenticate')).toMatch(
    /^Bearer realm="gatehouse", error="insufficient_user_authentication", .*max_age="600"$/,
  );
}

type Act = readonly [what: string, method: string, path: () => string, body?: () => unknown];
const administration: readonly Act[] = [
  ['make an administrator', 'PATCH', () => `/v1/users/${person.id}`, () => ({ roles: ['user', 'admin'] })],
  ['create an administrator', 'POST', () => '/v1/users', () => registration({ roles: ['user', 'admin'] })],
  ['give a role', 'PATCH', () => `/v1/users/${person.id}`, () => ({ roles: ['user', 'clerk'] })],
  ['create a user with a role', 'POST', () => '/v1/users', () => registration({ roles: ['clerk'] })],
  [
    'invite somebody with a role',
    'POST',
    () => '/v1/invitations',
    () => ({ email: 'a@example.org', roles: ['clerk'] }),
  ],
  ['make a role', 'POST', () => '/v1/roles', () => ({ name: 'clerk', permissions: [] })],
  ['change what a role permits', 'PATCH', () => '/v1/roles/user', () => ({ permissions: ['orders:read'] })],
  ['remove a role', 'DELETE', () => '/v1/roles/clerk?force=true'],
  ['let a user in again', 'PATCH', () => `/v1/users/${asleep.id}`, () => ({ status: 'active' })],
  ["change another's address", 'PATCH', () => `/v1/users/${person.id}`, () => ({ email: 'new@example.org' })],
  ["change another's password", 'PUT', () => `/v1/users/${person.id}/password`, () => ({ password: 'ten tall ships' })],
  ['erase another', 'DELETE', () => `/v1/users/${person.id}`],
  ["lift the delay of another's logins", 'DELETE', () => `/v1/users/${person.id}/login-delay`],
  ['register a service', 'POST', () => '/v1/services', () => ({ name: uniqueName('s'), scopes: ['users:read'] })],
  ['give a service scopes', 'PATCH', () => `/v1/services/${service.name}`, () => ({ scopes: ['users:read'] })],
  ["rotate a service's secret", 'POST', () => `/v1/services/${service.name}/secret`],
  ['remove a service', 'DELETE', () => `/v1/services/${service.name}`],
  ['bring users in', 'POST', () => '/v1/users/import', () => JSON.stringify(importRow())],
  ['end every session there is', 'POST', () => '/v1/auth/revoke-all'],
];
let asleep: Person;
beforeAll(async () => {
  asleep = await newPerson(gatehouse);
  await gatehouse.api.patch(`/v1/users/${asleep.id}`, { token: boss.token, body: { status: 'deactivated' } });
});

const perform = ([, method, path, body]: Act, token: string): Promise<Answer> =>
  gatehouse.api.call(method, path(), {
    token,
    body: body?.(),
    ...(path() === '/v1/users/import' && { headers: { 'content-type': 'application/x-ndjson' } }),
  });

describe('an administrator who signed in more than ten minutes ago', () => {
  test.for(administration)('may not %s', async (act) => {
    expectRefusal(await perform(act, stale(boss)));
  });

  test('may not with a token from before this version either, which does not say when', async () => {
    const old = withClaims(takeApart(gatehouse, boss.token), { auth_time: undefined });
    expect((await gatehouse.api.get('/v1/users', { token: old })).status).toBe(200);
    expectRefusal(await perform(administration[0] ?? expect.fail(), old));
  });

  test('may not over GraphQL', async () => {
    const variables = { id: person.id };
    const mutations = [
      'mutation ($id: ID!) { updateUser(id: $id, change: { roles: [USER, ADMIN] }) { id } }',
      'mutation ($id: ID!) { changePassword(id: $id, change: { password: "ten tall ships" }) { accessToken } }',
      'mutation ($id: ID!) { liftLoginDelay(id: $id) }',
      'mutation { createRole(role: { name: "clerk", permissions: [] }) { name } }',
      'mutation { patchRole(name: "user", change: { permissions: ["orders:read"] }) { name } }',
      'mutation { deleteRole(name: "clerk") }',
      'mutation ($id: ID!) { deleteUser(id: $id) }',
    ];
    for (const mutation of mutations) {
      const needed = mutation.includes('$id') ? { variables } : {};
      const { code } = await ask(gatehouse, mutation, { token: stale(boss), ...needed });
      expect(code, mutation).toBe('fresh-authentication-required');
    }
  });

  test('may still look, correct names and take trust away', async () => {
    const token = stale(boss);
    const someone = await newPerson(gatehouse);
    expect((await gatehouse.api.get('/v1/users', { token })).status).toBe(200);
    for (const body of [{ firstName: 'Augusta' }, { roles: ['user'] }, { status: 'deactivated' }]) {
      expect((await gatehouse.api.patch(`/v1/users/${someone.id}`, { token, body })).status).toBe(200);
    }
    expect((await gatehouse.api.delete(`/v1/auth/sessions?userId=${someone.id}`, { token })).status).toBe(204);
  });

  test('may again after the password was given', async () => {
    const token = stale(boss);
    const { status, body } = await gatehouse.api.post('/v1/auth/reauthenticate', {
      token,
      body: { password: admin.password },
    });
    expect(status).toBe(200);
    const someone = await newPerson(gatehouse);
    const change = { token: body.accessToken, body: { roles: ['user', 'admin'] } };
    expect((await gatehouse.api.patch(`/v1/users/${someone.id}`, change)).status).toBe(200);
  });
});

test('services are no people: a key needs no fresh authentication, and makes no administrator', async () => {
  const rows = [importRow(), importRow({ roles: ['user', 'admin'] })];
  const { results } = await importUsers(gatehouse, rows, { headers: service.headers });
  expect(results.map(({ status, code }) => [status, code])).toEqual([
    ['created', undefined],
    ['refused', 'forbidden'],
  ]);
});

describe('when somebody signed in', () => {
  test('is in the access token, and a refresh does not make it later', async () => {
    const someone = await newPerson(gatehouse);
    expect(claimsOf(someone.token).auth_time).toBeGreaterThan(nowSeconds() - 30);
    const em = gatehouse.app.get(SqlEntityManager).fork();
    await em.execute(`update sessions set authenticated_at = now() - interval '1 hour' where id = ?`, [
      someone.sessionId,
    ]);
    const { body } = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: someone.refreshToken } });
    expect(claimsOf(body.accessToken).auth_time).toBeLessThan(nowSeconds() - 3_500);
  });

  test('is when the session began, for a session from before this version', async () => {
    const someone = await newPerson(gatehouse);
    const em = gatehouse.app.get(SqlEntityManager).fork();
    await em.execute(
      `update sessions set authenticated_at = null, created_at = now() - interval '1 hour' where id = ?`,
      [someone.sessionId],
    );
    const { body } = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: someone.refreshToken } });
    expect(claimsOf(body.accessToken).auth_time).toBeLessThan(nowSeconds() - 3_500);
  });

  test('is what introspection says of the token too (RFC 9470 §6.2)', async () => {
    const gateway = await newService(gatehouse, { token: boss.token, scopes: ['tokens:introspect'] });
    const form = { body: new URLSearchParams({ token: person.token }), headers: gateway.headers };
    const { body } = await gatehouse.api.post('/v1/auth/introspect', form);
    expect(body.auth_time).toBe(claimsOf(person.token).auth_time);
  });
});

const reauthenticate = (token: string, password: string): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/reauthenticate', { token, body: { password } });

describe('giving the password again', () => {
  test('gives a new access token of the same session, which a refresh goes on from', async () => {
    const someone = await newPerson(gatehouse);
    const em = gatehouse.app.get(SqlEntityManager).fork();
    await em.execute(`update sessions set authenticated_at = now() - interval '1 hour' where id = ?`, [
      someone.sessionId,
    ]);
    const { status, body } = await reauthenticate(stale(someone), someone.password);
    expect([status, Object.keys(body).toSorted()]).toEqual([
      200,
      ['accessToken', 'expiresIn', 'sessionId', 'tokenType'],
    ]);
    expect(claimsOf(body.accessToken)).toMatchObject({ sid: someone.sessionId, sub: someone.id });
    expect(claimsOf(body.accessToken).auth_time).toBeGreaterThan(nowSeconds() - 30);
    const refreshed = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: someone.refreshToken } });
    expect(claimsOf(refreshed.body.accessToken).auth_time).toBeGreaterThan(nowSeconds() - 30);
  });

  test('works over GraphQL', async () => {
    const asked = { token: person.token, variables: { password: person.password } };
    const mutation = 'mutation ($password: String!) { reauthenticate(password: $password) { accessToken sessionId } }';
    const { data } = await ask(gatehouse, mutation, asked);
    expect(data.reauthenticate.sessionId).toBe(person.sessionId);
  });

  test('is refused with a wrong password, and delayed after a few', async () => {
    const someone = await newPerson(gatehouse);
    for (let time = 0; time < 6; time++) {
      const { status, body } = await reauthenticate(someone.token, 'not the password');
      expect([status, body.code]).toEqual([403, 'wrong-password']);
    }
    expect((await reauthenticate(someone.token, someone.password)).status).toBe(403);
    // the guesses were this session's: the owner signs in elsewhere as before
    await signIn(gatehouse, someone);
  });

  test('leaves an audit row, whatever comes of it', async () => {
    const someone = await newPerson(gatehouse);
    await reauthenticate(someone.token, 'not the password');
    await reauthenticate(someone.token, someone.password);
    const eventsOf = async (): Promise<unknown[]> =>
      (await gatehouse.api.get(`/v1/audit?userId=${someone.id}`, { token: boss.token })).body.items.map(
        ({ event }: any) => event,
      );
    // a refusal is recorded when it has been answered
    await expect.poll(eventsOf).toEqual(expect.arrayContaining(['reauthenticated', 'current-password-wrong']));
  });

  test('is for people', async () => {
    const { status, body } = await gatehouse.api.post('/v1/auth/reauthenticate', {
      headers: service.headers,
      body: { password: 'x' },
    });
    expect([status, body.code]).toEqual([403, 'forbidden']);
  });
});

describe('of their own account, somebody who signed in more than ten minutes ago', () => {
  test.each<[string, string, object?]>([
    ['change the address', 'PATCH', { email: 'ceo@example.org' }],
    ['take the address away', 'PATCH', { email: null }],
    ['erase it', 'DELETE'],
  ])('may not %s', async (_, method, body) => {
    const someone = await newPerson(gatehouse, { email: `${uniqueName()}@example.org` });
    const before = await gatehouse.api.get('/v1/users/me', { token: someone.token });
    expectRefusal(await gatehouse.api.call(method, '/v1/users/me', { token: stale(someone), body }));
    expect((await gatehouse.api.get('/v1/users/me', { token: someone.token })).text).toBe(before.text);
  });

  test('may change names, and send the address that it has', async () => {
    const email = `${uniqueName()}@example.org`;
    const someone = await newPerson(gatehouse, { email });
    const body = { firstName: 'Augusta', email };
    expect((await gatehouse.api.patch('/v1/users/me', { token: stale(someone), body })).status).toBe(200);
  });

  test('may after the password was given', async () => {
    const someone = await newPerson(gatehouse);
    const { accessToken: token } = (await reauthenticate(stale(someone), someone.password)).body;
    const body = { email: `${uniqueName()}@example.org` };
    expect((await gatehouse.api.patch('/v1/users/me', { token, body })).status).toBe(200);
    expect((await gatehouse.api.delete('/v1/users/me', { token })).status).toBe(204);
  });
});
