import { expect, test } from 'vitest';

import { newPerson, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();

test('without mail nobody can ask for a new password or set it, and all are told so alike', async () => {
  const email = `${uniqueName('mail')}@example.org`;
  await newPerson(gatehouse, { email });
  for (const address of [email, `${uniqueName('nobody')}@example.org`]) {
    const asked = await gatehouse.api.post('/v1/auth/password-reset', { body: { email: address } });
    const body = { email: address, code: '12345678', password: 'eight tall chimneys' };
    const confirmed = await gatehouse.api.post('/v1/auth/password-reset/confirm', { body });
    for (const answer of [asked, confirmed]) expect([answer.status, answer.body.code]).toEqual([403, 'mail-off']);
  }
});
