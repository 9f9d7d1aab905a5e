import { beforeAll, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';
import { RoleRegistry } from '#libs/roles';

import { isAccepted, newPerson, type Person, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { takeApart } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const declared = { department: 'profile.department', org: 'metadata.org.id', tags: 'profile.tags' };
const gatehouse = useGatehouse({ environment: { TOKEN_CLAIMS: JSON.stringify(declared) } });
let bossToken: string;
let gateway: Service;

beforeAll(async () => {
  const { token } = await signInAdmin(gatehouse);
  bossToken = token;
  gateway = await newService(gatehouse, { token, scopes: ['tokens:introspect'] });
});

type Kept = { readonly profile?: object; readonly metadata?: object; readonly roles?: readonly string[] };

/** Somebody of whom this is kept. */
async function personWith({ profile = {}, metadata = {}, roles = ['user'] }: Kept): Promise<Person> {
  const person = await newPerson(gatehouse);
  const text = 'update users set profile = $2, metadata = $3, roles = $4 where id = $1';
  await gatehouse.app.get(Sql).rows({ text }, [person.id, JSON.stringify(profile), JSON.stringify(metadata), roles]);
  return person;
}
const claimsOf = (token: string): Record<string, unknown> => takeApart(gatehouse, token).claims;
const declaredOf = (token: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(claimsOf(token)).filter(([name]) => Object.hasOwn(declared, name)));
const kept = { profile: { department: 'sales', tags: ['a', 'b'], secret: 'x' }, metadata: { org: { id: 7 } } };
const expected = { department: 'sales', org: 7, tags: ['a', 'b'] };
const warnings = () => gatehouse.log.filter(({ event }) => event === 'declared claims left out');

describe('declared claims', () => {
  test('are in every access token of a user who has them', async () => {
    const person = await personWith(kept);
    const { api } = gatehouse;
    const login = await signIn(gatehouse, person);
    const { body } = await api.post('/v1/auth/refresh', { body: { refreshToken: login.refreshToken } });
    const retried = await api.post('/v1/auth/refresh', { body: { refreshToken: login.refreshToken } });
    const { password, token } = { password: person.password, token: body.accessToken };
    const again = await api.post('/v1/auth/reauthenticate', { token, body: { password } });
    const change = { currentPassword: password, password: 'eight blue buckets' };
    const changed = await api.put(`/v1/users/${person.id}/password`, { token, body: change });
    const tokens = [login.token, token, retried.body.accessToken, again.body.accessToken, changed.body.accessToken];
    expect(tokens.map(declaredOf)).toEqual(tokens.map(() => expected));
    expect(await isAccepted(gatehouse, changed.body.accessToken)).toBe(true);
  });

  test('are left out where there is nothing', async () => {
    const { token } = await signIn(gatehouse, await newPerson(gatehouse));
    expect(declaredOf(token)).toEqual({});
  });

  test('are told by introspection, and nothing else of the user is', async () => {
    const { token } = await signIn(gatehouse, await personWith(kept));
    const body = new URLSearchParams({ token });
    const answer = (await gatehouse.api.post('/v1/auth/introspect', { headers: gateway.headers, body })).body;
    const { gen: _, role_gen: __, ...told } = claimsOf(token);
    expect(answer).toEqual({ ...told, active: true, token_type: 'Bearer' });
    expect(answer).toMatchObject({ ...expected, permissions: [] });
  });

  test('that do not fit are left out with a warning, and the login is good', async () => {
    const before = warnings().length;
    const person = await personWith({
      profile: { department: 'd'.repeat(1_022), tags: ['a'] },
      metadata: { org: { id: 7 } },
    });
    const { token } = await signIn(gatehouse, person);
    expect(declaredOf(token)).toEqual({ department: 'd'.repeat(1_022) });
    expect(warnings().slice(before)).toMatchObject([{ claims: ['org', 'tags'], userId: person.id }]);
    expect(await isAccepted(gatehouse, token)).toBe(true);
  });

  test('give way in a token that would be too long, and it is good', async () => {
    const roles = Array.from({ length: 50 }, (_, at) => `${uniqueName('r')}-${at}`.padEnd(63, 'x'));
    const person = await personWith({ profile: { department: 'd'.repeat(1_000) }, roles });
    // as long as an imported `sub` may be
    await gatehouse.app
      .get(Sql)
      .rows({ text: 'update users set subject = $2 where id = $1' }, [person.id, `\u{1F600}`.repeat(255)]);
    const permissions = Array.from({ length: 60 }, (_, at) => `${at}`.padEnd(48, 'p'));
    const sql = gatehouse.app.get(Sql);
    await sql.rows({ text: `update roles set permissions = $1 where name = 'user'` }, [permissions]);
    await gatehouse.app.get(RoleRegistry).reload();
    await sql.rows({ text: `update users set roles = array_append(roles[2:], 'user') where id = $1` }, [person.id]);
    const audience = `https://${uniqueName()}.example.org/${'a'.repeat(450)}`;
    await newService(gatehouse, { token: bossToken, scopes: [], audience });
    const { token } = await signIn(gatehouse, { ...person, audience });
    expect(token.length).toBeLessThanOrEqual(12_288);
    expect(declaredOf(token)).toEqual({});
    const body = new URLSearchParams({ token });
    const seen = await gatehouse.api.post('/v1/auth/introspect', { headers: gateway.headers, body });
    expect(seen.body.active).toBe(true);
    expect(warnings().at(-1)).toMatchObject({ claims: ['department', 'org', 'tags'], userId: person.id });
  });
});
