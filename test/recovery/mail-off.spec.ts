import { expect, test } from 'vitest';

import { newPerson, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();

const newAddress = (): string => `${uniqueName()}@example.org`;

test.each([
  ['/v1/auth/email-verification', { email: 'ada@example.org' }],
  ['/v1/auth/email-verification/confirm', { token: 'a'.repeat(40) }],
])('without mail POST %s says so', async (path, body) => {
  const { status, body: problem } = await gatehouse.api.post(path, { body });
  expect([status, problem.code]).toEqual([403, 'mail-off']);
});

test('without mail an address counts at once, and is not confirmed', async () => {
  const ada = await newPerson(gatehouse, { email: newAddress() });
  const email = newAddress();
  const { body } = await gatehouse.api.patch('/v1/users/me', { token: ada.token, body: { email } });
  expect(body).toMatchObject({ email, emailVerified: false, pendingEmail: null });
  const exported = await gatehouse.api.get('/v1/users/me/export', { token: ada.token });
  expect([exported.body.outgoing, exported.body.mailedLinks]).toEqual([[], []]);
});
