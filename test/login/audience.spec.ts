import { beforeAll, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';
import { RoleRegistry } from '#libs/roles';

import type { Answer } from '../support/api.js';
import { ask } from '../support/graphql.js';
import { newPerson, type Person, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { takeApart } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const ours = 'http://gatehouse.test';
const gatehouse = useGatehouse({ own: true });
let bossToken: string;
let person: Person;
let audience: string;
let service: Service;

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  person = await newPerson(gatehouse);
  audience = `https://${uniqueName('orders')}.example.org`;
  service = await newService(gatehouse, { token: bossToken, scopes: [], audience, permissions: ['orders:read'] });
  const sql = gatehouse.app.get(Sql);
  const text = `update roles set permissions = '{billing:read,orders:read}' where name = 'user'`;
  await sql.rows({ text }, []);
  await gatehouse.app.get(RoleRegistry).reload();
});

const claimsOf = (token: string): Record<string, unknown> => takeApart(gatehouse, token).claims;
const login = (body: object): Promise<Answer> => gatehouse.api.post('/v1/auth/login', { body });
const refresh = (refreshToken: string, wanted?: string): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken, audience: wanted } });
const nobody = 'https://nobody.example.org';
const credentials = () => ({ userName: person.userName, password: person.password });

describe('the audience of an access token', () => {
  test('is Gatehouse when none is asked for, with all permissions of the user', async () => {
    const { token } = await signIn(gatehouse, person);
    expect(claimsOf(token)).toMatchObject({ aud: ours, permissions: ['billing:read', 'orders:read'] });
    expect(claimsOf((await signIn(gatehouse, { ...person, audience: 'HTTP://gatehouse.test/' })).token)['aud']).toBe(
      ours,
    );
  });

  test('is the one asked for at login, as it was registered, with the permissions that it knows', async () => {
    const { token } = await signIn(gatehouse, { ...person, audience: `${audience.toUpperCase()}:443/` });
    expect(claimsOf(token)).toMatchObject({ aud: audience, permissions: ['orders:read'], roles: ['user'] });
  });

  test('is chosen anew with each refresh', async () => {
    const first = await signIn(gatehouse, { ...person, audience });
    const second = (await refresh(first.refreshToken)).body;
    const third = (await refresh(second.refreshToken, audience)).body;
    expect([second, third].map(({ accessToken }) => claimsOf(accessToken)['aud'])).toEqual([ours, audience]);
    expect(claimsOf(third.accessToken)['permissions']).toEqual(['orders:read']);
  });

  test('is Gatehouse after the password was given again or changed', async () => {
    const { token, refreshToken } = await signIn(gatehouse, person);
    await refresh(refreshToken, audience);
    const { body } = await gatehouse.api.post('/v1/auth/reauthenticate', {
      token,
      body: { password: person.password },
    });
    expect(claimsOf(body.accessToken)['aud']).toBe(ours);
  });

  test('takes any permission while the service names none, and follows its changes', async () => {
    const path = `/v1/services/${service.name}`;
    await gatehouse.api.patch(path, { token: bossToken, body: { permissions: [] } });
    expect(claimsOf((await signIn(gatehouse, { ...person, audience })).token)['permissions']).toHaveLength(2);
    await gatehouse.api.patch(path, { token: bossToken, body: { permissions: ['orders:read'] } });
    expect(claimsOf((await signIn(gatehouse, { ...person, audience })).token)['permissions']).toEqual(['orders:read']);
  });

  test('over GraphQL', async () => {
    const signedIn = await ask(
      gatehouse,
      `mutation ($n: String!, $p: String!, $a: String) { login(userName: $n, password: $p, audience: $a) { accessToken refreshToken } }`,
      { variables: { n: person.userName, p: person.password, a: audience } },
    );
    const { accessToken, refreshToken } = signedIn.data.login;
    expect(claimsOf(accessToken)['aud']).toBe(audience);
    const mutation = `mutation ($r: String!, $a: String) { refresh(refreshToken: $r, audience: $a) { accessToken } }`;
    const refused = await ask(gatehouse, mutation, { variables: { r: refreshToken, a: nobody } });
    expect(refused.code).toBe('unknown-audience');
    const refreshed = await ask(gatehouse, mutation, { variables: { r: refreshToken, a: null } });
    expect(claimsOf(refreshed.data.refresh.accessToken)['aud']).toBe(ours);
  });
});

describe('an audience that nobody has', () => {
  test.each([
    ['a right password', credentials],
    ['a wrong password', () => ({ ...credentials(), password: 'not the password' })],
    ['a name that nobody has', () => ({ userName: uniqueName(), password: 'not the password' })],
  ])('is refused with %s alike, and leaves no trace', async (_, given) => {
    const auditBefore = await rowsOf('audit_events');
    const { status, body } = await login({ ...given(), audience: nobody });
    expect([status, body.code]).toEqual([400, 'unknown-audience']);
    expect(await rowsOf('audit_events')).toBe(auditBefore);
    expect(await rowsOf('login_delays')).toBe(0);
  });

  test('does not use the refresh token', async () => {
    const { refreshToken } = await signIn(gatehouse, person);
    const { status, body } = await refresh(refreshToken, nobody);
    expect([status, body.code]).toEqual([400, 'unknown-audience']);
    const { rotation } = (await gatehouse.app
      .get(Sql)
      .row<{ rotation: number }>(
        { text: 'select rotation from sessions order by created_at desc, id desc limit 1' },
        [],
      )) ?? { rotation: -1 };
    expect(rotation).toBe(0);
    expect((await refresh(refreshToken)).status).toBe(200);
  });

  test.each([
    ['no URI', 'orders'],
    ['a fragment', () => `${audience}#a`],
    ['a blank before it', () => ` ${audience}`],
  ])('so is one with %s', async (_, text) => {
    const { status, body } = await login({ ...credentials(), audience: typeof text === 'string' ? text : text() });
    expect([status, body.code]).toEqual([400, 'unknown-audience']);
  });

  test('so is that of a service that was deactivated', async () => {
    const uri = `https://${uniqueName('gone')}.example.org`;
    const gone = await newService(gatehouse, { token: bossToken, scopes: [], audience: uri });
    expect((await login({ ...credentials(), audience: uri })).status).toBe(200);
    await gatehouse.api.patch(`/v1/services/${gone.name}`, { token: bossToken, body: { status: 'deactivated' } });
    expect((await login({ ...credentials(), audience: uri })).body.code).toBe('unknown-audience');
  });

  test.each([[''], ['a'.repeat(501)], [null]])('%j is no audience at all', async (wanted) => {
    expect((await login({ ...credentials(), audience: wanted })).body.code).toBe('invalid-request');
  });
});

async function rowsOf(table: 'audit_events' | 'login_delays'): Promise<number> {
  const row = await gatehouse.app.get(Sql).row<{ n: number }>({ text: `select count(*)::int as n from ${table}` }, []);
  return row?.n ?? -1;
}
