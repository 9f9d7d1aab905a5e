import { beforeAll, expect, test } from 'vitest';

import { ask } from '../support/graphql.js';
import { newPerson, signInAdmin, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const update = 'mutation ($id: ID!, $change: UserChange!) { updateUser(id: $id, change: $change) { roles } }';

test('roles are the names that REST has; those of the former enum are taken too', async () => {
  const { id } = await newPerson(gatehouse);
  const give = async (roles: string[]) =>
    (await ask(gatehouse, update, { token, variables: { id, change: { roles } } })).data.updateUser.roles;
  const name = uniqueName('role');
  const make = 'mutation ($role: NewRole!) { createRole(role: $role) { name description permissions builtIn } }';
  const role = { name, permissions: ['b', 'a'] };
  expect((await ask(gatehouse, make, { token, variables: { role } })).data.createRole).toEqual({
    name,
    description: null,
    permissions: ['a', 'b'],
    builtIn: false,
  });
  expect(await give(['user', 'admin', name])).toEqual(['user', 'admin', name]);
  expect(await give(['USER', 'ADMIN'])).toEqual(['user', 'admin']);
  const literals = `mutation { updateUser(id: "${id}", change: { roles: [USER] }) { roles } }`;
  expect((await ask(gatehouse, literals, { token })).data.updateUser.roles).toEqual(['user']);
  const listed = await ask(gatehouse, `{ users(filter: { role: ADMIN }) { nodes { roles } } }`, { token });
  expect(listed.data.users.nodes.length).toBeGreaterThan(0);
  expect(listed.data.users.nodes.filter(({ roles }: any) => !roles.includes('admin'))).toEqual([]);
  const change = `mutation { patchRole(name: "${name}", change: { description: "Words" }) { description permissions } }`;
  expect((await ask(gatehouse, change, { token })).data.patchRole).toEqual({
    description: 'Words',
    permissions: ['a', 'b'],
  });
  const remove = `mutation { deleteRole(name: "${name}") }`;
  expect((await ask(gatehouse, remove, { token })).data.deleteRole).toBe(true);
  expect((await ask(gatehouse, `{ role(name: "${name}") { name } }`, { token })).code).toBe('role-not-found');
});
