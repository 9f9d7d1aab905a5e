import { expect, test } from 'vitest';

import {
  codeOf,
  execute,
  newHolder,
  nothingWaits,
  type ReadMail,
  tokenOf,
  useMailbox,
} from '../support/reset-mailbox.js';
import { isAccepted, signIn } from '../support/people.js';
import { useReplicas } from '../support/use-gatehouse.js';

const mailbox = useMailbox();
const { both } = useReplicas(async () => mailbox.environment);
const password = 'eight tall chimneys';

/** The mail with link and code, asked for at one replica and sent by either. */
async function mailed(email: string): Promise<ReadMail> {
  const [here] = both();
  expect((await here.api.post('/v1/auth/password-reset', { body: { email } })).status).toBe(202);
  await nothingWaits(here);
  const [mail] = mailbox.of(email);
  if (!mail) throw new Error('no mail has come');
  return mail;
}

/** Confirmations at once, half of them at each replica. @returns how many got which answer */
async function confirmAtOnce(bodies: readonly object[]): Promise<Record<string, number>> {
  const answers = await Promise.all(
    bodies.map((body, at) => both()[at % 2 ? 1 : 0].api.post('/v1/auth/password-reset/confirm', { body })),
  );
  const codes = answers.map(({ status, body }) => (status === 204 ? '204' : String(body.code)));
  return Object.fromEntries(
    Object.entries(Object.groupBy(codes, String)).map(([code, all]) => [code, all?.length ?? 0]),
  );
}

test('a reset at one replica ends the sessions at the other before it is answered', async () => {
  const [here, there] = both();
  const person = await newHolder(here);
  const elsewhere = await signIn(there, person);
  const stranger = await newHolder(there);
  const token = tokenOf(await mailed(person.email));
  for (const access of [person.token, elsewhere.token]) expect(await isAccepted(there, access)).toBe(true);
  expect(await confirmAtOnce([{ token, password }])).toEqual({ 204: 1 });
  for (const access of [person.token, elsewhere.token]) expect(await isAccepted(there, access)).toBe(false);
  for (const { refreshToken } of [person, elsewhere]) {
    expect((await there.api.post('/v1/auth/refresh', { body: { refreshToken } })).status).toBe(401);
  }
  expect(await isAccepted(there, stranger.token)).toBe(true);
  await signIn(there, { userName: person.userName, password });
});

test('of 100 confirmations at once, by link and by code at both replicas, one gets it', async () => {
  const { email, id } = await newHolder(both()[0]);
  const mail = await mailed(email);
  const proofs = [{ token: tokenOf(mail) }, { email, code: codeOf(mail) }];
  const bodies = Array.from({ length: 100 }, (_, at) => ({ ...proofs[(at >> 1) % 2], password: `${password} ${at}` }));
  // on a busy machine some wait in vain for their turn with the user
  const { 204: done, 'invalid-confirmation': refused = 0, unavailable = 0 } = await confirmAtOnce(bodies);
  expect([done, refused + unavailable]).toEqual([1, 99]);
  expect(refused).toBeGreaterThan(0);
  const rows = await execute(both()[0], "select from audit_events where event = 'password-reset' and user_id = ?", [
    id,
  ]);
  expect(rows).toHaveLength(1);
});

test('a code that is guessed at once with wrong ones is good for five tries all the same', async () => {
  const { email } = await newHolder(both()[0]);
  const code = codeOf(await mailed(email));
  const guesses = Array.from({ length: 50 }, (_, at) => String((Number(code) + 1 + at) % 100_000_000).padStart(8, '0'));
  const bodies = [...guesses, code].map((guess) => ({ email, code: guess, password }));
  expect(await confirmAtOnce(bodies)).toEqual({ 'invalid-confirmation': 51 });
});
