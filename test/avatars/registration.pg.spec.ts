import { expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { fetchPicture, form, picture } from '../support/images.js';
import { registration, signInAdmin } from '../support/people.js';
import { startGatehouse } from '../support/start-gatehouse.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();

const textFields = (fields: Record<string, unknown> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(registration(fields)).map(([name, value]) => [name, String(value)]));
const register = (body: FormData): Promise<Answer> => gatehouse.api.post('/v1/users', { body });
const kept = async (): Promise<number> =>
  (await gatehouse.app.get(Sql).rows({ text: 'select hash from avatars' }, [])).length;

test('a registration may be a form, and bring a picture', async () => {
  const { status, body, headers, text } = await register(
    form(await picture().png().toBuffer(), 'avatar', textFields()),
  );
  expect(status, text).toBe(201);
  expect((await fetchPicture(gatehouse, body.avatar.url)).status).toBe(200);
  const { token } = await signInAdmin(gatehouse);
  const read = await gatehouse.api.get(`/v1/users/${body.id}`, { token });
  expect([read.body, read.headers.get('etag')]).toEqual([body, headers.get('etag')]);
});

test('a form without a picture is a registration like any other', async () => {
  const body = new FormData();
  for (const [name, value] of Object.entries(textFields())) body.append(name, value);
  expect((await register(body)).body.avatar).toBeNull();
});

test.for(['', '  ', '\u00a0\r\n'])('an optional field of a form that holds only "%s" is absent', async (blank) => {
  const fields = textFields({ email: blank, roles: blank });
  const { status, body } = await register(form(await picture().png().toBuffer(), 'avatar', fields));
  expect([status, body.email, body.roles]).toEqual([201, null, ['user']]);
});

test('a form whose field for a picture was left empty is a registration without one', async () => {
  const body = new FormData();
  for (const [name, value] of Object.entries(textFields({ email: '' }))) body.append(name, value);
  // what browsers send for it: a part without name and bytes
  body.append('avatar', new Blob([], { type: 'application/octet-stream' }), '');
  const answer = await register(body);
  expect([answer.status, answer.body.avatar, answer.body.email]).toEqual([201, null, null]);
});

test('what must be there is refused when it is blank, and in JSON a blank is no absence', async () => {
  const missing = await register(form(await picture().png().toBuffer(), 'avatar', textFields({ lastName: ' ' })));
  expect([missing.status, missing.body.errors[0].path]).toEqual([400, 'lastName']);
  const { status, body } = await gatehouse.api.post('/v1/users', { body: registration({ email: '' }) });
  expect([status, body.errors[0].path]).toEqual([400, 'email']);
});

test('what is wrong with the fields is told, and the picture is not kept', async () => {
  const before = await kept();
  const file = await picture().png().toBuffer();
  const { status, body } = await register(form(file, 'avatar', textFields({ email: 'nowhere', colour: 'red' })));
  expect([status, body.code]).toEqual([400, 'invalid-request']);
  expect(body.errors.map(({ path }: { path: string }) => path).toSorted()).toEqual(['colour', 'email']);
  const weak = await register(form(file, 'avatar', textFields({ password: 'password' })));
  expect([weak.status, weak.body.code]).toEqual([400, 'password-refused']);
  expect(await kept()).toBe(before);
});

test('a registration whose picture is no image makes no user', async () => {
  const fields = textFields();
  const refused = await register(form(Buffer.from('<svg/>'.padEnd(100)), 'avatar', fields));
  expect([refused.status, refused.body.code]).toEqual([415, 'unsupported-image']);
  const damaged = await register(form((await picture().png().toBuffer()).subarray(0, 90), 'avatar', fields));
  expect([damaged.status, damaged.body.code]).toEqual([422, 'unreadable-image']);
  expect((await register(form(await picture().png().toBuffer(), 'avatar', fields))).status).toBe(201);
});

test('when registration is closed, only an administrator may register somebody by a form', async () => {
  const closed = await startGatehouse({ REGISTRATION: 'closed' });
  try {
    const body = form(await picture().png().toBuffer(), 'avatar', textFields());
    expect((await closed.api.post('/v1/users', { body })).body.code).toBe('registration-closed');
    const { token } = await signInAdmin(closed);
    const again = form(await picture().png().toBuffer(), 'avatar', textFields());
    expect((await closed.api.post('/v1/users', { body: again, token })).status).toBe(201);
  } finally {
    await closed.stop();
  }
});

test('the same key with another picture is another request, with the same picture a retry', async () => {
  const [file, fields] = [await picture().png().toBuffer(), textFields()];
  const headers = { 'idempotency-key': crypto.randomUUID() };
  const send = (bytes: Buffer): Promise<Answer> =>
    gatehouse.api.post('/v1/users', { body: form(bytes, 'avatar', fields), headers });
  const first = await send(file);
  expect((await send(file)).body).toEqual(first.body);
  expect((await send(await picture().png().toBuffer())).body.code).toBe('idempotency-key-reused');
});
