import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, describe, expect, test } from 'vitest';

import { Sweeper } from '#libs/platform/database';

import { isAccepted, newPerson, signIn, signInAdmin } from '../support/people.js';
import { claimsOf, newHolder, newRole } from '../support/roles.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const execute = (text: string, values: readonly unknown[]) =>
  gatehouse.app
    .get(SqlEntityManager)
    .fork()
    .execute<any[]>(text, [...values]);
const userOf = async (id: string) => {
  const { body, headers } = await gatehouse.api.get(`/v1/users/${id}`, { token });
  return { ...body, etag: headers.get('etag') };
};
const remove = (name: string) => gatehouse.api.delete(`/v1/roles/${name}?force=true`, { token });
const make = (name: string) => gatehouse.api.post('/v1/roles', { token, body: { name, permissions: ['new'] } });

/** Users who hold the role, and come before those who register: more than are relieved at once. */
async function crowd(name: string, count: number): Promise<void> {
  await execute(
    `insert into users (id, user_name, user_name_key, first_name, last_name, roles, password_hash, created_at, updated_at)
      select ('00000000' || substr(md5(?::text || n), 9))::uuid, ?::text || n, ?::text || n, 'A', 'B', array['user', ?::text], 'none', now(), now()
      from generate_series(1, ?::int) as n`,
    [name, name, name, name, count],
  );
}

describe('a role that is removed by force', () => {
  test('goes from the few who hold it at once, its tokens are dead, and its name is free', async () => {
    const [name, kept] = [await newRole(gatehouse, { token }), await newRole(gatehouse, { token })];
    const [holder, other] = [await newHolder(gatehouse, name, kept), await newHolder(gatehouse, kept)];
    const before = await userOf(holder.id);
    expect((await remove(name)).status).toBe(204);
    expect(await isAccepted(gatehouse, holder.token)).toBe(false);
    expect(await isAccepted(gatehouse, other.token)).toBe(true);
    const after = await userOf(holder.id);
    expect(after.roles).toEqual(['user', kept]);
    expect(after.etag).not.toBe(before.etag);
    expect(Date.parse(after.updatedAt)).toBeGreaterThan(Date.parse(before.updatedAt));
    const { body } = await gatehouse.api.post('/v1/auth/explain', { token, body: { token: holder.token } });
    expect(body.detail).toContain(`its role ${name} was revoked by role-deleted`);
    expect((await make(name)).status).toBe(201);
    expect(claimsOf((await signIn(gatehouse, holder)).token)).toMatchObject({ roles: ['user', kept], permissions: [] });
  });

  test('leaves a user without any other role with user', async () => {
    const name = await newRole(gatehouse, { token });
    const holder = await newPerson(gatehouse);
    await gatehouse.api.patch(`/v1/users/${holder.id}`, { token, body: { roles: [name] } });
    await remove(name);
    expect((await userOf(holder.id)).roles).toEqual(['user']);
  });

  test('is seen with nobody before it has gone from the many who hold it; until then its name is taken', async () => {
    const name = await newRole(gatehouse, { token, permissions: ['old'] });
    const holder = await newHolder(gatehouse, name);
    const lonely = await newPerson(gatehouse);
    await gatehouse.api.patch(`/v1/users/${lonely.id}`, { token, body: { roles: [name] } });
    await crowd(name, 2_500);
    expect((await remove(name)).status).toBe(204);
    const counted = 'select count(*)::int as n from users where roles @> array[?]';
    const held = async () => (await execute(counted, [name]))[0].n;
    expect(await held()).toBe(1_502);

    expect((await gatehouse.api.get(`/v1/roles/${name}`, { token })).body.code).toBe('role-not-found');
    expect((await remove(name)).body.code).toBe('role-not-found');
    expect(await isAccepted(gatehouse, holder.token)).toBe(false);
    const { items } = (await gatehouse.api.get('/v1/users?limit=100', { token })).body;
    expect(items.filter(({ roles }: any) => roles.includes(name) || roles.length === 0)).toEqual([]);
    expect([(await userOf(holder.id)).roles, (await userOf(lonely.id)).roles]).toEqual([['user'], ['user']]);
    expect(claimsOf((await signIn(gatehouse, holder)).token)).toMatchObject({ roles: ['user'], permissions: [] });
    const again = await make(name);
    expect([again.status, again.body.code]).toEqual([409, 'role-exists']);
    expect(again.body.detail).toContain('was removed');
    await gatehouse.app.get(Sweeper).sweepNow();
    expect(await held()).toBe(0);
    expect((await make(name)).status).toBe(201);
    expect(claimsOf((await signIn(gatehouse, holder)).token)).toMatchObject({ permissions: [] });
  });

  test('cannot be given any more', async () => {
    const name = await newRole(gatehouse, { token });
    await crowd(name, 1_500);
    await remove(name);
    const { id } = await newPerson(gatehouse);
    const answer = await gatehouse.api.patch(`/v1/users/${id}`, { token, body: { roles: ['user', name] } });
    expect([answer.status, answer.body.code]).toEqual([400, 'unknown-role']);
  });
});

test('there are at most 1,000 roles, and one can be made in place of one that goes', async () => {
  const missing = `select 1000 - count(*)::int as n from roles where removed_at is null`;
  const [{ n }] = await execute(missing, []);
  await execute("insert into roles (name) select 'filler-' || n from generate_series(1, ?::int) as n", [n]);
  const refused = await make('one-too-many');
  expect([refused.status, refused.body.code]).toEqual([409, 'too-many-roles']);
  expect((await remove('filler-1')).status).toBe(204);
  expect((await make('one-too-many')).status).toBe(201);
});
