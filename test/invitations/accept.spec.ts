import { beforeAll, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { accept, invite, newAddress, newInvitation } from '../support/invitations.js';
import { newPerson, registration, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { newRole, permissionNames } from '../support/roles.js';
import { newService } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let boss: string;

beforeAll(async () => {
  boss = (await signInAdmin(gatehouse)).token;
});

const outcome = ({ status, body }: Answer): unknown[] => [status, body.code];
const sql = (text: string, values: readonly unknown[] = []): Promise<any[]> =>
  gatehouse.app.get(Sql).rows({ text }, values);
type Fields = Record<string, unknown>;
const isOpen = async (id: string): Promise<boolean> =>
  (await gatehouse.api.get(`/v1/invitations/${id}`, { token: boss })).status === 200;

describe('whoever has the link', () => {
  test('makes the account that was prepared, with a verified address, and signs in with it', async () => {
    const { email, token, id } = await newInvitation(gatehouse, boss, { roles: ['user', 'admin'] });
    const userName = uniqueName('guest');
    const made = await accept(gatehouse, token, { userName });
    expect(made.status, made.text).toBe(201);
    const expected = { userName, email, firstName: 'Grace', lastName: 'Hopper', roles: ['user', 'admin'] };
    expect(made.body).toMatchObject({ ...expected, status: 'active' });
    expect(made.body).not.toHaveProperty('accessToken');
    expect(made.headers.get('location')).toBe(`/v1/users/${made.body.id}`);
    const user = await signIn(gatehouse, { userName, password: 'seven green bottles' });
    const me = await gatehouse.api.get('/v1/users/me', { token: user.token });
    expect([me.body, me.headers.get('etag')]).toEqual([made.body, made.headers.get('etag')]);
    expect(await sql('select email_verified as v from users where id = $1', [made.body.id])).toEqual([{ v: true }]);
    expect(await isOpen(id)).toBe(false);
  });

  test('may be called otherwise than the inviter thought', async () => {
    const { token } = await newInvitation(gatehouse, boss);
    const { body } = await accept(gatehouse, token, { firstName: 'Grace Brewster' });
    expect([body.firstName, body.lastName]).toEqual(['Grace Brewster', 'Hopper']);
  });

  test('says the names that the invitation has not, or is told which are missing', async () => {
    const { token } = await newInvitation(gatehouse, boss, { firstName: null, lastName: null });
    const refused = await accept(gatehouse, token, { lastName: 'Hopper' });
    expect(outcome(refused)).toEqual([400, 'invalid-request']);
    expect(refused.body.errors).toMatchObject([{ path: 'firstName', code: 'required' }]);
    expect((await accept(gatehouse, token, { firstName: 'Grace', lastName: 'Hopper' })).status).toBe(201);
  });

  test('may send the whole link, with what a mail program has put around it', async () => {
    const { url } = await newInvitation(gatehouse, boss);
    expect((await accept(gatehouse, `<${url.toUpperCase()}>.`)).status).toBe(201);
  });

  test('gets the roles that there still are', async () => {
    const [stays, goes] = [await newRole(gatehouse), await newRole(gatehouse)];
    const both = await newInvitation(gatehouse, boss, { roles: [stays, goes] });
    const one = await newInvitation(gatehouse, boss, { roles: [goes] });
    expect((await gatehouse.api.delete(`/v1/roles/${goes}`, { token: boss })).status).toBe(204);
    expect((await accept(gatehouse, both.token)).body.roles).toEqual([stays]);
    expect((await accept(gatehouse, one.token)).body.roles).toEqual(['user']);
  });

  test('is refused while the roles permit more than a token can hold, and loses nothing', async () => {
    const [left, right] = [await newRole(gatehouse), await newRole(gatehouse)];
    const { token } = await newInvitation(gatehouse, boss, { roles: [left, right] });
    const patch = (name: string, permissions: readonly string[]): Promise<Answer> =>
      gatehouse.api.patch(`/v1/roles/${name}`, { token: boss, body: { permissions } });
    await patch(left, permissionNames(150));
    await patch(right, permissionNames(150, 'deliveries'));
    expect(outcome(await accept(gatehouse, token))).toEqual([422, 'permissions-too-large']);
    await patch(right, []);
    expect((await accept(gatehouse, token)).body.roles).toEqual([left, right]);
  });
});

describe('a link', () => {
  const isNotGood = [400, 'invalid-confirmation'];

  test.each(['', '#', 'a', '0'.repeat(40), 'ü'.repeat(40), 'http://gatehouse.test/account/invitation#'])(
    'that nobody was given is not good: %j',
    async (token) => {
      expect(outcome(await accept(gatehouse, token))).toEqual(isNotGood);
    },
  );

  test('is good for one account', async () => {
    const { token } = await newInvitation(gatehouse, boss);
    expect((await accept(gatehouse, token)).status).toBe(201);
    expect(outcome(await accept(gatehouse, token))).toEqual(isNotGood);
  });

  test('is dead when the invitation is withdrawn', async () => {
    const { id, token } = await newInvitation(gatehouse, boss);
    expect((await gatehouse.api.delete(`/v1/invitations/${id}`, { token: boss })).status).toBe(204);
    expect(outcome(await accept(gatehouse, token))).toEqual(isNotGood);
  });

  test('is good for 7 days', async () => {
    const { id, token } = await newInvitation(gatehouse, boss);
    const late = await newInvitation(gatehouse, boss);
    await sql(`update invitations set expires_at = expires_at - interval '167 hours 59 minutes' where id = $1`, [id]);
    await sql(`update invitations set expires_at = expires_at - interval '168 hours' where id = $1`, [late.id]);
    expect((await accept(gatehouse, token)).status).toBe(201);
    expect(outcome(await accept(gatehouse, late.token))).toEqual(isNotGood);
  });

  test('is good beside others to the same address, and takes them with it', async () => {
    const email = newAddress();
    const links = [];
    for (const spelling of [email, email.toUpperCase(), email]) {
      links.push(await newInvitation(gatehouse, boss, { email: spelling }));
    }
    const [first, second, third] = links.map(({ token }) => token);
    const made = await accept(gatehouse, second ?? '');
    expect(made.status).toBe(201);
    expect((await gatehouse.api.delete(`/v1/users/${made.body.id}`, { token: boss })).status).toBe(204);
    for (const token of [first, third]) expect(outcome(await accept(gatehouse, token ?? ''))).toEqual(isNotGood);
  });

  test.each<[string, () => Promise<Fields> | Fields, unknown[]]>([
    ['a password that is easy to guess', () => ({ password: 'password' }), [400, 'password-refused']],
    ['a malformed user name', () => ({ userName: 'two words' }), [400, 'invalid-request']],
    ['a reserved user name', () => ({ userName: 'administrator' }), [400, 'invalid-request']],
    ['a taken user name', async () => ({ userName: (await newPerson(gatehouse)).userName }), [409, 'user-name-taken']],
    ['a field that is not known', () => ({ roles: ['admin'] }), [400, 'invalid-request']],
  ])('outlives %s', async (_, fields, expected) => {
    const { token } = await newInvitation(gatehouse, boss);
    expect(outcome(await accept(gatehouse, token, await fields()))).toEqual(expected);
    expect((await accept(gatehouse, token)).status).toBe(201);
  });

  test('outlives that somebody has the address meanwhile, until then it says so', async () => {
    const { email, token } = await newInvitation(gatehouse, boss);
    const other = await gatehouse.api.post('/v1/users', { body: registration({ email }) });
    expect(outcome(await accept(gatehouse, token))).toEqual([409, 'email-taken']);
    await gatehouse.api.delete(`/v1/users/${other.body.id}`, { token: boss });
    expect((await accept(gatehouse, token)).status).toBe(201);
  });
});

test('an accepted invitation leaves what is to be audited, without the address', async () => {
  const { id, email, token } = await newInvitation(gatehouse, boss);
  const { body: user } = await accept(gatehouse, token);
  const { body, text } = await gatehouse.api.get(`/v1/audit?userId=${user.id}`, { token: boss });
  const events = body.items.map(({ event, details, caller }: any) => [event, details, caller]);
  expect(events.toSorted()).toEqual([
    ['invitation-accepted', { invitationId: id }, 'anonymous'],
    ['user-created', { roles: 'user' }, 'anonymous'],
  ]);
  expect(text).not.toContain(email);
});

test('a service accepts for a person, on its own plan', async () => {
  const service = await newService(gatehouse, { token: boss, scopes: [] });
  const { token } = await newInvitation(gatehouse, boss);
  const body = { token, userName: uniqueName('guest'), password: 'seven green bottles' };
  const made = await gatehouse.api.post('/v1/auth/invitations/accept', { body, headers: service.headers });
  expect(made.status, made.text).toBe(201);
  const [event] = (await gatehouse.api.get(`/v1/audit?userId=${made.body.id}`, { token: boss })).body.items;
  expect(event.caller).toBe(`service:${service.name}`);
  expect((await invite(gatehouse, undefined, {}, service.headers)).status).toBe(403);
});
