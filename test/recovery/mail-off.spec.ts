import { expect, test } from 'vitest';

import { newPerson, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();

test('without mail nobody can ask for a new password, and all are told so alike', async () => {
  const email = `${uniqueName('mail')}@example.org`;
  await newPerson(gatehouse, { email });
  for (const address of [email, `${uniqueName('nobody')}@example.org`]) {
    const { status, body } = await gatehouse.api.post('/v1/auth/password-reset', { body: { email: address } });
    expect([status, body.code]).toEqual([403, 'mail-off']);
  }
});
