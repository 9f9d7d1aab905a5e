import { afterAll, expect, test } from 'vitest';

import { type Mailbox, openMailbox } from '../support/mailbox.js';
import { newPerson, uniqueName } from '../support/people.js';
import { useReplicas } from '../support/use-gatehouse.js';

let mailbox: Mailbox;
const { both } = useReplicas(async () => {
  mailbox = await openMailbox();
  return mailbox.environment;
});

afterAll(() => mailbox?.stop());

const parallel = 100;

/** How often each status was answered when so many confirm at once, at both replicas in turn. */
async function statusesOf(body: object): Promise<Record<string, number>> {
  const path = '/v1/auth/email-verification/confirm';
  const confirm = (_: unknown, at: number) => both()[at % 2 === 0 ? 0 : 1].api.post(path, { body });
  const answers = await Promise.all(Array.from({ length: parallel }, confirm));
  const refused = answers.filter(({ status }) => status !== 204).map((answer) => answer.body.code);
  expect(new Set(refused)).toEqual(new Set(['invalid-confirmation']));
  const byStatus = Map.groupBy(answers, ({ status }) => status);
  return Object.fromEntries(Array.from(byStatus, ([status, { length }]) => [status, length]));
}

test('of 100 uses of one link at once exactly one is good', async () => {
  const [here] = both();
  const email = `${uniqueName()}@example.org`;
  const ada = await newPerson(here, { email });
  const { token } = await mailbox.last(email);
  expect(await statusesOf({ token })).toEqual({ 204: 1, 400: parallel - 1 });
  expect((await here.api.get('/v1/users/me', { token: ada.token })).body.emailVerified).toBe(true);
});

test('of 100 uses of one code at once exactly one is good', async () => {
  const [here] = both();
  const ada = await newPerson(here);
  const email = `${uniqueName()}@example.org`;
  await here.api.patch('/v1/users/me', { token: ada.token, body: { email } });
  const { code } = await mailbox.last(email);
  expect(await statusesOf({ email, code })).toEqual({ 204: 1, 400: parallel - 1 });
  expect((await here.api.get('/v1/users/me', { token: ada.token })).body.email).toBe(email);
});

test('what both replicas take from the outbox is one mail for each request', async () => {
  const [here, there] = both();
  const email = `${uniqueName()}@example.org`;
  await newPerson(here, { email });
  await mailbox.wait(email, 1);
  await Promise.all(
    Array.from({ length: 8 }, (_, at) =>
      (at % 2 === 0 ? here : there).api.post('/v1/auth/email-verification', { body: { email } }),
    ),
  );
  expect(await mailbox.all(here, email)).toHaveLength(5);
});
