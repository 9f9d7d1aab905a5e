import { expect, test, vi } from 'vitest';

import { codeOf, execute, newHolder, nothingWaits, tokenOf, useMailbox } from '../support/reset-mailbox.js';
import { signIn } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const mailbox = useMailbox();
const gatehouse = useGatehouse({ environment: mailbox.environment });

/** All rows of all tables as text, bytes in hexadecimal. */
async function dump(): Promise<string> {
  const tables = await execute<{ name: string }>(
    gatehouse,
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname !~ '^(pg_|information_)'",
  );
  const texts = [];
  for (const { name } of tables) {
    const rows = await execute<{ row: string }>(gatehouse, `select one::text as row from ${name} one`);
    texts.push(`${name}\n${rows.map(({ row }) => row).join('\n')}`);
  }
  return texts.join('\n');
}

/** As it is, and as bytes would show it. */
const spellings = (secret: string): readonly string[] => [
  secret,
  Buffer.from(secret).toString('hex'),
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ...(/^([0-9a-f]{2})+$/.test(secret) ? [Buffer.from(secret, 'hex').toString('base64').replace(/=+$/, '')] : []),
];

test('after a reset the whole database and the whole log hold no token, no code and no password', async () => {
  const { api } = gatehouse;
  const person = await newHolder(gatehouse);
  const { email, userName } = person;
  const confirm = async (body: object): Promise<number> =>
    (await api.post('/v1/auth/password-reset/confirm', { body })).status;
  const password = 'eight tall chimneys';
  const wrong = { code: '90817263', token: 'deadbeef'.repeat(5), password: 'nobody has this one' };

  mailbox.refuse(true);
  for (const address of [email, 'nobody@example.org']) {
    expect((await api.post('/v1/auth/password-reset', { body: { email: address } })).status).toBe(202);
  }
  const isPostponed = (): boolean => gatehouse.log.some(({ event }) => String(event).startsWith('postponed'));
  await vi.waitFor(() => expect(isPostponed()).toBe(true), { timeout: 20_000, interval: 20 });
  const whileItWaits = await dump();
  mailbox.refuse(false);
  await nothingWaits(gatehouse);
  const [mail = { subject: '', text: '' }] = mailbox.of(email);
  const [token, code] = [tokenOf(mail), codeOf(mail)];
  expect([token.length, code.length]).toEqual([40, 8]);

  expect(await confirm({ email, code: wrong.code, password })).toBe(400);
  expect(await confirm({ token: wrong.token, password })).toBe(400);
  expect(await confirm({ token, password: 'password' })).toBe(400);
  expect(await confirm({ token, code, email, password })).toBe(400);
  expect(await confirm({ email, code, password })).toBe(204);
  const wrongLogin = await api.post('/v1/auth/login', { body: { userName, password: wrong.password } });
  expect(wrongLogin.status).toBe(401);
  const session = await signIn(gatehouse, { userName, password });
  await nothingWaits(gatehouse);

  const kept = [whileItWaits, await dump(), gatehouse.log.map((line) => JSON.stringify(line)).join('\n')];
  // what is looked for would be found
  expect(kept.map((text) => text.includes(person.id))).toEqual([true, true, true]);
  expect(kept[1]).toContain('password-reset');
  const secrets = [token, code, password, person.password, ...Object.values(wrong)];
  const tokens = [person.token, person.refreshToken, session.token, session.refreshToken];
  for (const secret of [...secrets, ...tokens].flatMap(spellings)) {
    expect(
      kept.map((text) => text.toLowerCase().includes(secret.toLowerCase())),
      secret,
    ).toEqual([false, false, false]);
  }
});
