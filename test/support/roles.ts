import { expect } from 'vitest';

import { newPerson, type Person, signIn, signInAdmin, uniqueName } from './people.js';
import type { Gatehouse } from './start-gatehouse.js';

/** Makes a role with a new name. @returns its name */
export async function newRole(
  gatehouse: Gatehouse,
  {
    permissions = [],
    token,
    name = uniqueName('role'),
  }: { permissions?: string[]; token?: string; name?: string } = {},
): Promise<string> {
  const by = token ?? (await signInAdmin(gatehouse)).token;
  const created = await gatehouse.api.post('/v1/roles', { token: by, body: { name, permissions } });
  expect(created.status, created.text).toBe(201);
  return name;
}

/** Somebody new who holds the roles, `user` among them, signed in. */
export async function newHolder(gatehouse: Gatehouse, ...roles: readonly string[]): Promise<Person> {
  const person = await newPerson(gatehouse);
  const { token } = await signInAdmin(gatehouse);
  const given = await gatehouse.api.patch(`/v1/users/${person.id}`, { token, body: { roles: ['user', ...roles] } });
  expect(given.status, given.text).toBe(200);
  return { ...person, ...(await signIn(gatehouse, person)) };
}

/** The claims of a token. */
export const claimsOf = (token: string): any =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));

/** As many names of permissions of ordinary length. */
export const permissionNames = (count: number, resource = 'orders'): string[] =>
  Array.from({ length: count }, (_, index) => `${resource}:${String(index).padStart(3, '0')}:read`).toSorted();
