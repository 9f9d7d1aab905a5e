import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { ask } from '../support/graphql.js';
import { picture, putAvatar } from '../support/images.js';
import { admin, isAccepted, newPerson, type Person, registration, signIn, signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let person: Person;
let boss: string;
let bossId: string;

beforeAll(async () => {
  person = await newPerson(gatehouse, { userName: 'Ada', email: 'ada@example.org' });
  boss = (await signInAdmin(gatehouse)).token;
  bossId = (await get('me', boss)).body.id;
});

const nobody = '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e';
const get = (id: string, token = boss, headers = {}): Promise<Answer> =>
  gatehouse.api.get(`/v1/users/${id}`, { token, headers });
const patch = (id: string, body: unknown, token = boss, headers = {}): Promise<Answer> =>
  gatehouse.api.patch(`/v1/users/${id}`, { token, body, headers });
const erase = (id: string, token = boss, headers = {}): Promise<Answer> =>
  gatehouse.api.delete(`/v1/users/${id}`, { token, headers });
const outcome = ({ status, body }: Answer): unknown[] => [status, body.code];

/** Somebody who never signs in costs one hash less. */
const newUser = async (fields = {}): Promise<string> =>
  (await gatehouse.api.post('/v1/users', { body: registration(fields), token: boss })).body.id;

describe('reading', () => {
  test('a user is found by id, as me and by user name in any case', async () => {
    const { body } = await get(person.id, person.token);
    for (const path of ['me', person.id.toUpperCase(), 'by-user-name/aDA', 'by-user-name/%EF%BC%A1da']) {
      expect((await get(path, person.token)).body, path).toEqual(body);
    }
  });

  test.for([
    [nobody, 404, 'user-not-found'],
    ['by-user-name/nobody', 404, 'user-not-found'],
    ['nonsense', 400, 'invalid-request'],
    ['by-user-name/no%20body', 400, 'invalid-request'],
  ])('an administrator who asks for %s gets %i %s', async ([path = '', ...expected]) => {
    expect(outcome(await get(String(path)))).toEqual(expected);
  });

  test('a client that has the current version gets 304', async () => {
    const etag = (await get('me', person.token)).headers.get('etag') ?? '';
    for (const path of ['me', person.id, 'by-user-name/ada']) {
      for (const known of [etag, `W/${etag}`, `"0", ${etag}`, '*']) {
        const { status, text, headers } = await get(path, person.token, { 'if-none-match': known });
        expect([status, text, headers.get('etag')], `${path} ${known}`).toEqual([304, '', etag]);
      }
    }
    expect((await get('me', person.token, { 'if-none-match': '"0"' })).status).toBe(200);
  });
});

describe('a patch', () => {
  test('changes what it names and nothing else', async () => {
    const before = (await get('me', person.token)).body;
    const { body } = await patch('me', { lastName: ' Byron ' }, person.token);
    expect(body).toEqual({ ...before, lastName: 'Byron', updatedAt: expect.any(String) });
    expect(body.updatedAt > before.updatedAt).toBe(true);
  });

  test('that is empty changes nothing, not even the version', async () => {
    const before = await get('me', person.token);
    const after = await patch('me', {}, person.token);
    expect([after.status, after.body, after.headers.get('etag')]).toEqual([
      200,
      before.body,
      before.headers.get('etag'),
    ]);
  });

  test('that names the present values changes nothing, not even the version', async () => {
    const id = await newUser({ email: 'same@example.org', roles: ['user', 'admin'] });
    const before = await get(id);
    const { firstName, lastName, email, status } = before.body;
    const after = await patch(id, {
      firstName: ` ${firstName}`,
      lastName,
      email,
      status,
      roles: ['admin', 'user'],
    });
    expect([after.body, after.headers.get('etag')]).toEqual([before.body, before.headers.get('etag')]);
    expect((await get(id)).body).toEqual(before.body);
    expect((await erase(id)).status).toBe(204);
  });

  test('is not an array, a text or nothing', async () => {
    for (const body of [[], '"text"', 'null', '7']) expect((await patch('me', body)).status, String(body)).toBe(400);
  });

  test('clears with null what may be absent, and only that', async () => {
    expect((await patch('me', { email: null }, person.token)).body.email).toBeNull();
    expect((await patch('me', { email: 'ada@example.org' }, person.token)).body.email).toBe('ada@example.org');
    for (const field of ['firstName', 'lastName', 'roles', 'status']) {
      const { status, body } = await patch('me', { [field]: null });
      expect([status, body.errors[0].path], field).toEqual([400, field]);
    }
  });

  test('may be sent as a merge patch by name', async () => {
    const headers = { 'content-type': 'application/merge-patch+json' };
    expect((await patch('me', { firstName: 'Ada' }, person.token, headers)).status).toBe(200);
  });

  test.for([
    ['userName', 'eve'],
    ['password', 'eight brown bottles'],
    ['id', nobody],
    ['createdAt', '2020-01-01T00:00:00Z'],
  ])('cannot change %s', async ([field = '', value]) => {
    const { status, body } = await patch('me', { [field]: value });
    expect([status, body.errors[0]]).toEqual([400, expect.objectContaining({ path: field, code: 'unknown-field' })]);
  });

  test.for([
    { roles: ['user', 'admin'] },
    { status: 'deactivated' },
    { status: 'active' },
    { roles: ['user'], firstName: 'Eve' },
  ])('of %o is for administrators', async (change) => {
    expect(outcome(await patch('me', change, person.token))).toEqual([403, 'forbidden']);
  });

  test("cannot take another user's e-mail address", async () => {
    await newUser({ email: 'grace@example.org' });
    expect(outcome(await patch('me', { email: 'GRACE@example.org' }, person.token))).toEqual([409, 'email-taken']);
  });

  test('of a user that does not exist is not found', async () => {
    expect(outcome(await patch(nobody, { firstName: 'Eve' }))).toEqual([404, 'user-not-found']);
  });
});

describe('If-Match', () => {
  test.for([
    ['the version that was read', (etag: string) => etag, 200],
    ['one of several', (etag: string) => `"0", ${etag}`, 200],
    ['any version', () => '*', 200],
    ['an old version', () => '"0"', 412],
    ['a weak version', (etag: string) => `W/${etag}`, 412],
    ['nonsense', () => 'nonsense', 412],
  ] as const)('with %s', async ([, matching, status]) => {
    const before = await get(person.id);
    const headers = { 'if-match': matching(before.headers.get('etag') ?? '') };
    const after = await patch(person.id, { firstName: `Ada ${status} ${Math.random()}` }, boss, headers);
    expect(after.status, after.text).toBe(status);
    const isChanged = (await get(person.id)).headers.get('etag') !== before.headers.get('etag');
    expect(isChanged).toBe(status === 200);
  });

  test('keeps a user from being deleted in another version than was read', async () => {
    const id = await newUser();
    const etag = (await get(id)).headers.get('etag') ?? '';
    await patch(id, { firstName: 'Eve' });
    expect(outcome(await erase(id, boss, { 'if-match': etag }))).toEqual([412, 'precondition-failed']);
    expect((await erase(id, boss, { 'if-match': '*' })).status).toBe(204);
    expect(outcome(await erase(id))).toEqual([404, 'user-not-found']);
  });

  test('on a user that does not exist is not found', async () => {
    expect(outcome(await erase(nobody, boss, { 'if-match': '"0"' }))).toEqual([404, 'user-not-found']);
  });
});

describe('roles and status', () => {
  beforeEach(async () => {
    person = { ...person, ...(await signIn(gatehouse, person)) };
  });

  test('a change of roles ends the tokens that carry the old ones', async () => {
    expect((await patch(person.id, { roles: ['user', 'admin'] })).body.roles).toEqual(['user', 'admin']);
    expect(await isAccepted(gatehouse, person.token)).toBe(false);
    const { token } = await signIn(gatehouse, person);
    expect((await gatehouse.api.get('/v1/users', { token })).status).toBe(200);
    await patch(person.id, { roles: ['user'] });
    expect(await isAccepted(gatehouse, token)).toBe(false);
  });

  test('the same roles again end nothing', async () => {
    await patch(person.id, { roles: ['user'] });
    expect(await isAccepted(gatehouse, person.token)).toBe(true);
  });

  test('a deactivated user is out, and what was issued before stays dead after', async () => {
    expect((await patch(person.id, { status: 'deactivated' })).body.status).toBe('deactivated');
    expect(await isAccepted(gatehouse, person.token)).toBe(false);
    expect((await patch(person.id, { status: 'active' })).body.status).toBe('active');
    expect(await isAccepted(gatehouse, person.token)).toBe(false);
  });
});

describe('what is refused', () => {
  test.for(['/v1/users/nonsense', '/v1/users/1'])('%s names the parameter', async (path) => {
    const { body } = await gatehouse.api.get(path, { token: boss });
    expect(body.errors.map((error: { path: string }) => error.path)).toEqual(['id']);
  });

  test.for<[string, unknown]>([
    ['roles', 'admin'],
    ['roles', { length: 5 }],
    ['firstName', 7],
    ['email', ['ada@example.org']],
    ['status', 1],
  ])('%s of %o has one fault', async ([field, value]) => {
    const { status, body } = await patch('me', { [field]: value });
    expect([status, body.errors.map((error: { path: string }) => error.path)]).toEqual([400, [field]]);
  });
});

describe('the last administrator', () => {
  test('cannot be deleted, deactivated or demoted', async () => {
    const attempts = [erase(bossId), patch('me', { status: 'deactivated' }), patch(bossId, { roles: ['user'] })];
    for (const attempt of attempts) expect(outcome(await attempt)).toEqual([409, 'last-admin']);
    expect(await isAccepted(gatehouse, boss)).toBe(true);
  });

  test('is still the last beside a deactivated one', async () => {
    const other = await newUser({ roles: ['user', 'admin'] });
    await patch(other, { status: 'deactivated' });
    expect(outcome(await patch('me', { roles: ['user'] }))).toEqual([409, 'last-admin']);
    await patch(other, { status: 'active' });
    expect((await patch('me', { roles: ['user'] })).status).toBe(200);
    expect(await isAccepted(gatehouse, boss)).toBe(false);
    const { token } = await signIn(gatehouse, admin);
    expect(outcome(await patch(other, { roles: ['user'] }, token))).toEqual([403, 'forbidden']);
  });
});

describe('somebody who was erased on another replica a moment ago, of which this one has not heard', () => {
  let gone: Person;

  beforeAll(async () => {
    gone = await newPerson(gatehouse);
    await gatehouse.app.get(SqlEntityManager).fork().execute('delete from users where id = ?', [gone.id]);
  });

  test.for([
    ['GET', '/v1/users/me'],
    ['PATCH', '/v1/users/me', { firstName: 'Eve' }],
    ['DELETE', '/v1/users/me'],
    ['PUT', '/v1/users/me/password', { currentPassword: 'seven green bottles', password: 'eight blue bottles' }],
    ['GET', '/v1/users/me/export'],
    ['GET', '/v1/users/me/avatar'],
    ['DELETE', '/v1/users/me/avatar'],
    ['GET', '/v1/auth/sessions'],
    ['DELETE', '/v1/auth/sessions/{sessionId}'],
    ['POST', '/v1/messages', { body: 'good-bye', expiresIn: 3_600 }],
  ] as const)('%s %s says that the token is no good', async ([method, path, body]) => {
    const address = path.replace('{sessionId}', gone.sessionId);
    const call = { GET: 'get', PATCH: 'patch', DELETE: 'delete', PUT: 'put', POST: 'post' } as const;
    const answer = await gatehouse.api[call[method]](address, { token: gone.token, ...(body && { body }) });
    expect([...outcome(answer), answer.headers.get('www-authenticate')]).toEqual([
      401,
      'invalid-token',
      expect.stringContaining('error="invalid_token"'),
    ]);
  });

  test('a new picture is refused: the token is not good any more', async () => {
    const file = await picture().png().toBuffer();
    expect(outcome(await putAvatar(gatehouse, 'me', file, { token: gone.token }))).toEqual([401, 'invalid-token']);
  });

  test.for([
    'query { me { id } }',
    'query { sessions { id } }',
    'mutation { updateUser(id: "me", change: { firstName: "Eve" }) { id } }',
  ])('GraphQL says so too: %s', async (query) => {
    expect((await ask(gatehouse, query, { token: gone.token })).code).toBe('invalid-token');
  });
});
