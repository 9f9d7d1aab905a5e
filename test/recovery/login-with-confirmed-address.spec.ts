import { afterAll, beforeAll, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { ask } from '../support/graphql.js';
import { type Mailbox, openMailbox } from '../support/mailbox.js';
import { registration, signInAdmin, uniqueName } from '../support/people.js';
import { newService } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let mailbox: Mailbox;
let gatehouse: Gatehouse;
let boss: string;

beforeAll(async () => {
  mailbox = await openMailbox();
  gatehouse = await startGatehouse({ ...mailbox.environment, EMAIL_VERIFICATION: 'login' });
  boss = (await signInAdmin(gatehouse)).token;
});
afterAll(async () => {
  await gatehouse?.stop();
  await mailbox?.stop();
});

type Registered = { readonly id: string; readonly userName: string; readonly password: string; readonly email: string };

async function somebody(): Promise<Registered> {
  const email = `${uniqueName()}@example.org`;
  const body = registration({ email });
  const created = await gatehouse.api.post('/v1/users', { body });
  expect(created.status, created.text).toBe(201);
  return { id: created.body.id, userName: String(body['userName']), password: String(body['password']), email };
}

const login = (userName: string, password: string): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/login', { body: { userName, password } });
const sessionsOf = (id: string): Promise<any[]> =>
  gatehouse.app.get(Sql).rows({ text: 'select 1 from sessions where user_id = $1' }, [id]);

test('who has not confirmed the address cannot sign in, and learns it only with the right password', async () => {
  const ada = await somebody();
  for (const name of [ada.userName, ada.email]) {
    const right = await login(name, ada.password);
    expect([right.status, right.body.code]).toEqual([403, 'email-not-verified']);
    expect(right.headers.get('set-cookie')).toBeNull();
    expect((await login(name, 'not the password')).body.code).toBe('invalid-credentials');
  }
  expect(await sessionsOf(ada.id)).toEqual([]);
  const mutation = `mutation { login(userName: "${ada.userName}", password: "${ada.password}") { sessionId } }`;
  expect((await ask(gatehouse, mutation)).code).toBe('email-not-verified');
  const { body } = await gatehouse.api.get(`/v1/audit?userId=${ada.id}&limit=1`, { token: boss });
  expect(body.items).toEqual([expect.objectContaining({ event: 'login-failed' })]);
});

test('who confirms it can sign in', async () => {
  const ada = await somebody();
  const { code } = await mailbox.last(ada.email);
  await gatehouse.api.post('/v1/auth/email-verification/confirm', { body: { email: ada.email, code } });
  expect((await login(ada.email, ada.password)).status).toBe(200);
});

test('a deactivated user learns nothing of it', async () => {
  const ada = await somebody();
  await gatehouse.api.patch(`/v1/users/${ada.id}`, { token: boss, body: { status: 'deactivated' } });
  expect((await login(ada.email, ada.password)).body.code).toBe('invalid-credentials');
});

test('a user without an address signs in by name; an administrator may make one', async () => {
  const body = registration();
  expect((await gatehouse.api.post('/v1/users', { body, token: boss })).status).toBe(201);
  expect((await login(String(body['userName']), String(body['password']))).status).toBe(200);
});

test('whoever registers needs an address; services that make accounts for others do not', async () => {
  for (const email of [undefined, null]) {
    const refused = await gatehouse.api.post('/v1/users', { body: registration({ email }) });
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid-request']);
    expect(refused.body.errors).toEqual([expect.objectContaining({ path: 'email', code: 'required' })]);
  }
  const { headers } = await newService(gatehouse, { token: boss, scopes: ['users:write'] });
  expect((await gatehouse.api.post('/v1/users', { body: registration(), headers })).status).toBe(201);
});
