import { expect, test } from 'vitest';

import { accept, newInvitation } from '../support/invitations.js';
import { registration, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ environment: { REGISTRATION: 'closed' } });

test('while registration is closed, who is invited still makes an account', async () => {
  const { token } = await signInAdmin(gatehouse);
  const closed = await gatehouse.api.post('/v1/users', { body: registration() });
  expect([closed.status, closed.body.code]).toEqual([403, 'registration-closed']);
  const invitation = await newInvitation(gatehouse, token);
  const userName = uniqueName('guest');
  const made = await accept(gatehouse, invitation.token, { userName });
  expect(made.status, made.text).toBe(201);
  await signIn(gatehouse, { userName, password: 'seven green bottles' });
});
