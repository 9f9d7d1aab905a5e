import { randomUUID } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, expect, test } from 'vitest';

import { type Revocation, RevocationsService } from '#libs/security/revocation';

import { newPerson, type Person, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { newService } from '../support/services.js';
import { takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let boss: string;
let person: Person;

beforeAll(async () => {
  boss = (await signInAdmin(gatehouse)).token;
  person = await newPerson(gatehouse);
});

const execute = (statement: string, values: unknown[] = []): Promise<any> =>
  gatehouse.app.get(SqlEntityManager).fork().execute(statement, values);

/** As the version before would have issued it, without the claims of roles. */
const before = ({ token }: { token: string }): string =>
  withClaims(takeApart(gatehouse, token), { permissions: undefined, role_gen: undefined });

const statusOf = async (token: string): Promise<number> => (await gatehouse.api.get('/v1/users/me', { token })).status;

const revoke = (revocation: Revocation): Promise<void> =>
  gatehouse.app.get(RevocationsService).transactional((_em, write) => write(revocation));

test('a token without claims of roles is good, and ends with its session', async () => {
  const { token, ...rest } = await newPerson(gatehouse);
  const old = before({ token });
  expect(await statusOf(old)).toBe(200);
  await gatehouse.api.post('/v1/auth/logout', { token, body: { refreshToken: rest.refreshToken } });
  expect(await statusOf(old)).toBe(401);
});

test('an entry without a name ends its session', async () => {
  const { token, sessionId } = await newPerson(gatehouse);
  await revoke({ kind: 'session', subject: sessionId, cause: 'logout' });
  expect(await execute('select name from revocations where subject = ?', [sessionId])).toEqual([{ name: null }]);
  expect(await statusOf(token)).toBe(401);
});

test('a user whose row has nothing of this version signs in and is changed', async () => {
  const [id, userName] = [randomUUID(), uniqueName()];
  await execute(
    `insert into users (id, user_name, user_name_key, first_name, last_name, roles, password_hash, created_at, updated_at)
      select ?, ?, ?, 'Ada', 'Lovelace', '{user}', password_hash, now(), now() from users where id = ?`,
    [id, userName, userName, person.id],
  );
  const { token } = await signIn(gatehouse, { userName, password: person.password });
  expect(await statusOf(token)).toBe(200);
  const changed = await gatehouse.api.patch(`/v1/users/${id}`, { token, body: { firstName: 'Grace' } });
  expect([changed.status, changed.body.firstName]).toEqual([200, 'Grace']);
});

test('a set of roles that the version before gave is known', async () => {
  const { id } = await newPerson(gatehouse);
  await execute("delete from role_sets where roles = '{admin}'");
  await execute("update users set roles = '{admin}' where id = ?", [id]);
  expect(await execute("select roles from role_sets where roles = '{admin}'")).toHaveLength(1);
});

test('a service whose row has nothing of this version works', async () => {
  const { name, headers } = await newService(gatehouse, { token: boss, scopes: ['users:read'] });
  await execute(
    `update services set audience = default, audience_key = default, permissions = default, grants = default,
      token_generation = default where name = ?`,
    [name],
  );
  const change = { token: boss, body: { description: 'read again' } };
  expect((await gatehouse.api.patch(`/v1/services/${name}`, change)).status).toBe(200);
  expect((await gatehouse.api.get('/v1/users?limit=1', { headers })).status).toBe(200);
});

test('a token without claims of roles ends with the first change of its role, and of no other', async () => {
  const administrator = await signInAdmin(gatehouse);
  const old = before(administrator);
  await revoke({ kind: 'role', subject: 'somebody-elses', generation: 1, cause: 'role-changed' });
  expect(await statusOf(old)).toBe(200);
  await revoke({ kind: 'role', subject: 'admin', generation: 1, cause: 'role-changed' });
  expect(await statusOf(old)).toBe(401);
  expect(await statusOf(person.token)).toBe(200);
});
