import { beforeAll, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { admin, isAccepted, newPerson, type Person, registration, signIn, signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse);
});

const change = (body: object, token = person.token, id = 'me'): Promise<Answer> =>
  gatehouse.api.put(`/v1/users/${id}/password`, { token, body });

test.each([
  ['without the current one', { password: 'eight tall chimneys' }, 400, 'invalid-request'],
  ['with a wrong current one', { currentPassword: 'wrong', password: 'eight tall chimneys' }, 403, 'wrong-password'],
  ['to a common one', { currentPassword: 'seven green bottles', password: 'password123' }, 400, 'password-refused'],
])('a password is not changed %s', async (_, body, status, code) => {
  const answer = await change(body);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
});

test("somebody else's password is not changed", async () => {
  const other = await newPerson(gatehouse);
  expect((await change({ password: 'eight tall chimneys' }, person.token, other.id)).status).toBe(403);
});

test('an administrator’s password has 15 characters at least, whoever sets it', async () => {
  const { token } = await signInAdmin(gatehouse);
  const short = 'fourteen chars';
  const made = await gatehouse.api.post('/v1/users', {
    token,
    body: registration({ roles: ['admin', 'user'], password: short }),
  });
  const set = await change({ currentPassword: admin.password, password: short }, token);
  const fault = {
    path: 'password',
    message: 'must have at least 15 characters for an administrator',
    code: 'password-too-short',
  };
  expect([made.status, made.body.errors, set.status, set.body.errors]).toEqual([400, [fault], 400, [fault]]);
  expect((await change({ password: short }, token, person.id)).status).toBe(204);
});

test('the new password signs in, the old one does not', async () => {
  const me = await newPerson(gatehouse);
  const body = { currentPassword: me.password, password: 'eight tall chimneys' };
  expect((await change(body, me.token)).status).toBe(200);
  await signIn(gatehouse, { userName: me.userName, password: 'eight tall chimneys' });
  const { userName, password } = me;
  expect((await gatehouse.api.post('/v1/auth/login', { body: { userName, password } })).status).toBe(401);
});

test('the session that changes its own goes on with the tokens of the answer, and those of before are dead', async () => {
  const me = await newPerson(gatehouse);
  const refresh = (refreshToken: string): Promise<Answer> =>
    gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken } });
  const used = (await refresh(me.refreshToken)).body;
  const { status, body } = await change({ currentPassword: me.password, password: 'eight tall chimneys' }, me.token);
  expect([status, body.sessionId]).toEqual([200, me.sessionId]);
  expect(await isAccepted(gatehouse, body.accessToken)).toBe(true);
  // also within the grace, and neither ends the session
  for (const token of [me.refreshToken, used.refreshToken]) expect((await refresh(token)).status).toBe(401);
  expect((await refresh(body.refreshToken)).status).toBe(200);
});

test('whoever has stolen a session cannot guess the password there at will', async () => {
  const me = await newPerson(gatehouse);
  for (let time = 0; time < 6; time++)
    await change({ currentPassword: 'guess', password: 'eight tall chimneys' }, me.token);
  const right = { currentPassword: me.password, password: 'eight tall chimneys' };
  expect((await change(right, me.token)).status).toBe(403);
  await signIn(gatehouse, me);
});

test('an administrator changes the password of a user without knowing the old one', async () => {
  const me = await newPerson(gatehouse);
  const { token } = await signInAdmin(gatehouse);
  expect((await change({ password: 'eight tall chimneys' }, token, me.id)).status).toBe(204);
  await signIn(gatehouse, { userName: me.userName, password: 'eight tall chimneys' });
});
