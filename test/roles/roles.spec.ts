import { beforeAll, describe, expect, test } from 'vitest';

import { scopes } from '#libs/platform/access';

import { newPerson, signInAdmin, uniqueName } from '../support/people.js';
import { newHolder, newRole, permissionNames } from '../support/roles.js';
import { newService } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const pathOf = (name: string): string => `/v1/roles/${name}`;
const auditOf = async (name: string): Promise<any[]> => {
  const { body } = await gatehouse.api.get('/v1/audit?limit=100', { token });
  return body.items.filter(({ details }: any) => details?.role === name).toReversed();
};

describe('keeping roles', () => {
  test('one is made, read, listed, changed and removed, and each leaves its row', async () => {
    const { api } = gatehouse;
    const name = uniqueName('clerk');
    const body = {
      name,
      description: 'Looks after orders',
      permissions: ['orders:write', 'orders:read', 'orders:read'],
    };
    const created = await api.post('/v1/roles', { token, body });
    expect([created.status, created.headers.get('location')]).toEqual([201, pathOf(name)]);
    expect(created.body).toMatchObject({
      name,
      description: 'Looks after orders',
      permissions: ['orders:read', 'orders:write'],
      builtIn: false,
    });
    expect((await api.get(pathOf(name), { token })).body).toEqual(created.body);
    const { items } = (await api.get('/v1/roles', { token })).body;
    expect(items).toContainEqual(created.body);
    const names = items.map((role: any) => role.name);
    expect(names).toEqual(names.toSorted());

    const permissions = ['orders:read', 'orders:ship'];
    const changed = await api.patch(pathOf(name), { token, body: { description: null, permissions } });
    expect(changed.body).toMatchObject({ name, description: null, permissions });
    expect(Date.parse(changed.body.updatedAt)).toBeGreaterThanOrEqual(Date.parse(created.body.updatedAt));
    expect((await api.delete(pathOf(name), { token })).status).toBe(204);
    expect((await api.get(pathOf(name), { token })).body.code).toBe('role-not-found');

    expect((await auditOf(name)).map(({ event, details }) => [event, details])).toEqual([
      ['role-created', { role: name, permissions: ['orders:read', 'orders:write'] }],
      [
        'role-changed',
        {
          role: name,
          changed: ['description', 'permissions'],
          added: ['orders:ship'],
          removed: ['orders:write'],
        },
      ],
      ['role-deleted', { role: name, permissions, held: false }],
    ]);
  });

  test('a change that changes nothing leaves no row', async () => {
    const name = await newRole(gatehouse, { token, permissions: ['a', 'b'] });
    for (const body of [{}, { permissions: ['b', 'a', 'b'] }, { description: null }]) {
      expect((await gatehouse.api.patch(pathOf(name), { token, body })).status).toBe(200);
    }
    expect(await auditOf(name)).toHaveLength(1);
  });

  test('what is kept is what is taken: every character of a scope-token, and 200 permissions', async () => {
    const visible = Array.from({ length: 94 }, (_, index) => String.fromCodePoint(0x21 + index));
    const allowed = visible.filter((character) => character !== '"' && character !== '\\');
    const permissions = [allowed.join(''), 'p'.repeat(128), ...permissionNames(198)];
    const name = await newRole(gatehouse, { token, permissions });
    const { body } = await gatehouse.api.get(pathOf(name), { token });
    expect(body.permissions).toEqual(permissions.toSorted());
  });

  const refusedBodies: [string, object][] = [
    ['a name with capitals', { name: 'Clerk', permissions: [] }],
    ['a name of 64 characters', { name: 'c'.repeat(64), permissions: [] }],
    ['a name with a dot', { name: 'cl.erk', permissions: [] }],
    ['a name that starts with a digit', { name: '1st', permissions: [] }],
    ['a name with a line feed', { name: 'clerk\n', permissions: [] }],
    ['an empty name', { name: '', permissions: [] }],
    ['no name', { permissions: [] }],
    ['no permissions', { name: 'clerk' }],
    ['an empty permission', { name: 'clerk', permissions: [''] }],
    ['a permission with a blank', { name: 'clerk', permissions: ['orders read'] }],
    ['a permission with a quotation mark', { name: 'clerk', permissions: ['orders"'] }],
    ['a permission with a backslash', { name: 'clerk', permissions: [String.raw`orders\read`] }],
    ['a permission with an umlaut', { name: 'clerk', permissions: ['aufträge'] }],
    ['a permission with a line feed', { name: 'clerk', permissions: ['orders\n'] }],
    ['a permission of 129 characters', { name: 'clerk', permissions: ['p'.repeat(129)] }],
    ['201 permissions', { name: 'clerk', permissions: permissionNames(201) }],
    ['a description of 201 characters', { name: 'clerk', permissions: [], description: 'd'.repeat(201) }],
    ['an unknown field', { name: 'clerk', permissions: [], builtIn: true }],
  ];
  test.each(refusedBodies)('%s is refused', async (_, body) => {
    const answer = await gatehouse.api.post('/v1/roles', { token, body });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
  });

  const refusedChanges: [string, object][] = [
    ['null for permissions', { permissions: null }],
    ['a name', { name: 'other' }],
    ['201 permissions', { permissions: permissionNames(201) }],
  ];
  test.each(refusedChanges)('a change to %s is refused', async (_, body) => {
    const answer = await gatehouse.api.patch(pathOf('user'), { token, body });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
  });

  test('a name that there is already is refused', async () => {
    const name = await newRole(gatehouse, { token });
    for (const taken of [name, 'user', 'admin']) {
      const answer = await gatehouse.api.post('/v1/roles', { token, body: { name: taken, permissions: [] } });
      expect([answer.status, answer.body.code], taken).toEqual([409, 'role-exists']);
    }
  });

  test('of two who make a role at once, one is refused', async () => {
    const body = { name: uniqueName('race'), permissions: [] };
    const answers = await Promise.all([1, 2, 3].map(() => gatehouse.api.post('/v1/roles', { token, body })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ body: { code } }) => code === 'role-exists')).toHaveLength(2);
  });

  test('a built-in role cannot be removed, not even by force', async () => {
    for (const name of ['user', 'admin']) {
      for (const query of ['', '?force=true']) {
        const answer = await gatehouse.api.delete(pathOf(name) + query, { token });
        expect([answer.status, answer.body.code], name).toEqual([409, 'role-built-in']);
      }
      expect((await gatehouse.api.get(pathOf(name), { token })).body.builtIn).toBe(true);
    }
  });

  test('a role that a user holds is not removed without force', async () => {
    const name = await newRole(gatehouse, { token });
    await newHolder(gatehouse, name);
    for (const query of ['', '?force=false']) {
      const answer = await gatehouse.api.delete(pathOf(name) + query, { token });
      expect([answer.status, answer.body.code]).toEqual([409, 'role-in-use']);
    }
    expect((await gatehouse.api.delete(`${pathOf(name)}?force=yes`, { token })).status).toBe(400);
  });

  const routes: [string, string, object?][] = [
    ['GET', '/v1/roles'],
    ['POST', '/v1/roles', { name: 'mine', permissions: [] }],
    ['GET', '/v1/roles/nobody-here'],
    ['PATCH', '/v1/roles/nobody-here', { permissions: [] }],
    ['DELETE', '/v1/roles/nobody-here'],
  ];
  test.each(routes)('%s %s is for administrators only', async (method, path, body) => {
    const person = await newPerson(gatehouse);
    const { headers } = await newService(gatehouse, {
      token,
      scopes: scopes.filter((scope) => scope !== 'users:read'),
    });
    const callers = [{ token: person.token }, { headers }, {}];
    const answers = await Promise.all(callers.map((caller) => gatehouse.api.call(method, path, { ...caller, body })));
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 401]);
  });

  test('a service with users:read reads roles and changes none', async () => {
    const { headers } = await newService(gatehouse, { token, scopes: ['users:read', 'users:write'] });
    const answers = await Promise.all(
      routes.map(([method, path, body]) => gatehouse.api.call(method, path, { headers, body })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 404, 403, 403]);
  });

  test.each(routes.slice(2))('%s %s finds nothing', async (method, path, body) => {
    const answer = await gatehouse.api.call(method, path, { token, body });
    expect([answer.status, answer.body.code]).toEqual([404, 'role-not-found']);
  });
});

describe('giving roles', () => {
  test('a user may hold any role that there is', async () => {
    const [one, two] = [await newRole(gatehouse, { token }), await newRole(gatehouse, { token })];
    const { id } = await newHolder(gatehouse, one, two);
    expect((await gatehouse.api.get(`/v1/users/${id}`, { token })).body.roles).toEqual(['user', one, two]);
    const password = 'seven green bottles';
    const body = { userName: uniqueName(), firstName: 'Ada', lastName: 'Lovelace', password, roles: [one] };
    const created = await gatehouse.api.post('/v1/users', { token, body });
    expect([created.status, created.body.roles]).toEqual([201, [one]]);
  });

  test('a role that there is not is refused by its name, and 51 roles are', async () => {
    const { id, token: own } = await newPerson(gatehouse);
    const give = (roles: string[]) => gatehouse.api.patch(`/v1/users/${id}`, { token, body: { roles } });
    const answer = await give(['user', 'not-there']);
    expect([answer.status, answer.body.code]).toEqual([400, 'unknown-role']);
    expect(answer.body.errors).toEqual([
      { path: 'roles', message: 'there is no role not-there', code: 'unknown-role' },
    ]);
    const body = { userName: uniqueName(), firstName: 'A', lastName: 'B', password: 'seven green bottles' };
    const created = await gatehouse.api.post('/v1/users', { token, body: { ...body, roles: ['not-there'] } });
    expect([created.status, created.body.code]).toEqual([400, 'unknown-role']);
    const many = Array.from({ length: 51 }, (_, index) => `role-${index}`);
    expect((await give(many)).body.code).toBe('invalid-request');
    expect((await gatehouse.api.get('/v1/users/me', { token: own })).body.roles).toEqual(['user']);
  });

  test('nobody gives roles but administrators', async () => {
    const name = await newRole(gatehouse, { token });
    const person = await newPerson(gatehouse);
    const answer = await gatehouse.api.patch('/v1/users/me', { token: person.token, body: { roles: ['user', name] } });
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  });
});
