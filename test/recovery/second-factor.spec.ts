import { expect, test } from 'vitest';

import { newHolder, nothingWaits, tokenOf, useMailbox } from '../support/reset-mailbox.js';
import { challengeOf, complete } from '../support/second-factor-logins.js';
import { addTotp, codeOf } from '../support/second-factors.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const mailbox = useMailbox();
const gatehouse = useGatehouse({ environment: mailbox.environment });
const password = 'eight tall chimneys';

test('who resets the password still needs the second factor to sign in', async () => {
  const person = await newHolder(gatehouse);
  const { secret } = await addTotp(gatehouse, person);
  await gatehouse.api.post('/v1/auth/password-reset', { body: { email: person.email } });
  await nothingWaits(gatehouse);
  const mail = mailbox.of(person.email).find(({ subject }) => subject === 'Choose a new password');
  const body = { token: mail ? tokenOf(mail) : '', password };
  const { status, text } = await gatehouse.api.post('/v1/auth/password-reset/confirm', { body });
  expect(status, text).toBe(204);
  const challenge = await challengeOf(gatehouse, { userName: person.userName, password });
  const done = await complete(gatehouse, challenge, codeOf(secret));
  expect(done.status, done.text).toBe(200);
});
