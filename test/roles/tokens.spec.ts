import { beforeAll, describe, expect, test } from 'vitest';

import { isAccepted, newPerson, signIn, signInAdmin } from '../support/people.js';
import { claimsOf, newHolder, newRole, permissionNames } from '../support/roles.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const change = (name: string, body: object) => gatehouse.api.patch(`/v1/roles/${name}`, { token, body });
const refresh = async (refreshToken: string) => {
  const answer = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken } });
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
};

describe('what a token carries', () => {
  test('the permissions of all roles of its user, sorted, each once', async () => {
    const one = await newRole(gatehouse, { token, permissions: ['b', 'a'] });
    const two = await newRole(gatehouse, { token, permissions: ['c', 'b', 'B'] });
    const holder = await newHolder(gatehouse, one, two);
    expect(claimsOf(holder.token)).toMatchObject({ roles: ['user', one, two], permissions: ['B', 'a', 'b', 'c'] });
    expect(claimsOf((await newPerson(gatehouse)).token).permissions).toEqual([]);
  });

  test('a login after a change carries the new permissions, in the same session and in others', async () => {
    const name = await newRole(gatehouse, { token, permissions: ['a'] });
    const holder = await newHolder(gatehouse, name);
    expect((await change(name, { permissions: ['b'] })).status).toBe(200);
    const refreshed = await refresh(holder.refreshToken);
    const fresh = await signIn(gatehouse, holder);
    for (const current of [refreshed.accessToken, fresh.token]) {
      expect(claimsOf(current).permissions).toEqual(['b']);
      expect(await isAccepted(gatehouse, current)).toBe(true);
    }
  });
});

describe('when the permissions of a role change', () => {
  test('tokens that carry it are dead at once, and no others', async () => {
    const [changed, other] = [await newRole(gatehouse, { token }), await newRole(gatehouse, { token })];
    const [first, second] = [await newHolder(gatehouse, changed), await newHolder(gatehouse, other, changed)];
    const [third, plain] = [await newHolder(gatehouse, other), await newPerson(gatehouse)];
    expect((await change(changed, { permissions: ['a'] })).status).toBe(200);
    const tokens = [first, second, third, plain].map((person) => person.token);
    expect(await Promise.all([...tokens, token].map((each) => isAccepted(gatehouse, each)))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  test('whoever asks why a token is refused is told the role and the change', async () => {
    const name = await newRole(gatehouse, { token });
    const holder = await newHolder(gatehouse, name);
    await change(name, { permissions: ['a'] });
    const { body } = await gatehouse.api.post('/v1/auth/explain', { token, body: { token: holder.token } });
    expect(body).toMatchObject({ isAccepted: false, reason: 'revoked', cause: 'role-changed' });
    expect(body.detail).toMatch(new RegExp(`^its role ${name} was revoked by role-changed at 2`));
  });

  test('a change of the description, or of nothing, ends no token', async () => {
    const name = await newRole(gatehouse, { token, permissions: ['b', 'a'] });
    const holder = await newHolder(gatehouse, name);
    for (const body of [{ description: 'Other words' }, { permissions: ['a', 'b', 'a'] }, {}]) {
      expect((await change(name, body)).status).toBe(200);
      expect(await isAccepted(gatehouse, holder.token)).toBe(true);
    }
  });

  test('each of many changes ends the tokens from before it', async () => {
    const name = await newRole(gatehouse, { token });
    const holder = await newHolder(gatehouse, name);
    let current = { accessToken: holder.token, refreshToken: holder.refreshToken };
    for (const permission of ['a', 'b', 'a']) {
      await change(name, { permissions: [permission] });
      expect(await isAccepted(gatehouse, current.accessToken)).toBe(false);
      current = await refresh(current.refreshToken);
      expect(claimsOf(current.accessToken).permissions).toEqual([permission]);
      expect(await isAccepted(gatehouse, current.accessToken)).toBe(true);
    }
  });
});

describe('what permissions add up to', () => {
  test('100 permissions of ordinary length make a token of at most 4 KB', async () => {
    const name = await newRole(gatehouse, { token, permissions: permissionNames(100) });
    const holder = await newHolder(gatehouse, name);
    expect(claimsOf(holder.token).permissions).toHaveLength(100);
    expect(holder.token.length).toBeLessThanOrEqual(4_096);
  });

  test('more than 4 KB is refused where a role is given, and the user signs in as before', async () => {
    const [one, two] = [
      await newRole(gatehouse, { token, permissions: permissionNames(150, 'orders') }),
      await newRole(gatehouse, { token, permissions: permissionNames(150, 'invoices') }),
    ];
    const holder = await newHolder(gatehouse, one);
    const give = (roles: string[]) => gatehouse.api.patch(`/v1/users/${holder.id}`, { token, body: { roles } });
    const answer = await give(['user', one, two]);
    expect([answer.status, answer.body.code]).toEqual([422, 'permissions-too-large']);
    expect(claimsOf((await signIn(gatehouse, holder)).token).permissions).toHaveLength(150);
    const body = { userName: `${two}-user`, firstName: 'A', lastName: 'B', password: 'seven green bottles' };
    const created = await gatehouse.api.post('/v1/users', { token, body: { ...body, roles: [one, two] } });
    expect([created.status, created.body.code]).toEqual([422, 'permissions-too-large']);
    expect((await give(['user', two])).status).toBe(200);
  });

  test('more than 4 KB is refused where a role is changed, as long as somebody holds such roles', async () => {
    const [one, two] = [
      await newRole(gatehouse, { token, permissions: permissionNames(150, 'orders') }),
      await newRole(gatehouse, { token }),
    ];
    const holder = await newHolder(gatehouse, one, two);
    const permissions = permissionNames(150, 'invoices');
    const answer = await change(two, { permissions });
    expect([answer.status, answer.body.code]).toEqual([422, 'permissions-too-large']);
    expect(await isAccepted(gatehouse, holder.token)).toBe(true);
    expect((await gatehouse.api.get(`/v1/roles/${two}`, { token })).body.permissions).toEqual([]);
    const taken = await gatehouse.api.patch(`/v1/users/${holder.id}`, { token, body: { roles: ['user', one] } });
    expect(taken.status).toBe(200);
    expect((await change(two, { permissions })).status).toBe(200);
    const again = await gatehouse.api.patch(`/v1/users/${holder.id}`, { token, body: { roles: ['user', one, two] } });
    expect([again.status, again.body.code]).toEqual([422, 'permissions-too-large']);
  });

  test('what everybody holds cannot be made too large', async () => {
    const permissions = permissionNames(200, 'p'.repeat(20));
    for (const name of ['user', 'admin']) {
      const answer = await change(name, { permissions });
      expect([answer.status, answer.body.code], name).toEqual([422, 'permissions-too-large']);
    }
  });

  test('a change of a user that does not touch the roles does not look at them', async () => {
    const name = await newRole(gatehouse, { token });
    const { id } = await newHolder(gatehouse, name);
    await gatehouse.api.delete(`/v1/roles/${name}?force=true`, { token });
    const answer = await gatehouse.api.patch(`/v1/users/${id}`, { token, body: { firstName: 'Grace' } });
    expect(answer.status).toBe(200);
  });
});
