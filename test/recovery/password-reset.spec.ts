import { SqlEntityManager } from '@mikro-orm/sql';
import { describe, expect, test } from 'vitest';

import { OutboxService } from '#libs/platform/outbox';

import type { Answer } from '../support/api.js';
import { ask } from '../support/graphql.js';
import {
  codeOf,
  execute,
  linkOf,
  newHolder,
  nothingWaits,
  type ReadMail,
  tokenOf,
  useMailbox,
} from '../support/reset-mailbox.js';
import { isAccepted, newPerson, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const mailbox = useMailbox();
const gatehouse = useGatehouse({ environment: mailbox.environment });
const password = 'eight tall chimneys';
const subject = 'Choose a new password';

const request = (email: string, headers?: Record<string, string>): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/password-reset', { body: { email }, ...(headers && { headers }) });
const confirm = (body: object): Promise<Answer> => gatehouse.api.post('/v1/auth/password-reset/confirm', { body });
const resetsOf = (email: string): readonly ReadMail[] => mailbox.of(email).filter((mail) => mail.subject === subject);
const outcome = ({ status, body }: Answer): unknown => (status === 204 ? status : [status, body.code]);
const refused = [400, 'invalid-confirmation'];

/** The newest mail with link and code after a request. */
async function mailed(email: string): Promise<ReadMail> {
  const before = resetsOf(email).length;
  expect((await request(email)).status).toBe(202);
  await nothingWaits(gatehouse);
  const mail = resetsOf(email)[before];
  if (!mail) throw new Error('no mail has come');
  return mail;
}

async function deactivate(id: string): Promise<void> {
  const { token } = await signInAdmin(gatehouse);
  const body = { status: 'deactivated' };
  expect((await gatehouse.api.patch(`/v1/users/${id}`, { token, body })).status).toBe(200);
}

const wrongOf = (code: string): string => String((Number(code) + 1) % 100_000_000).padStart(8, '0');
const login = (userName: string, given: string): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/login', { body: { userName, password: given } });
const events = async (token: string, query: string): Promise<any[]> =>
  (await gatehouse.api.get(`/v1/audit?${query}`, { token })).body.items;

describe('to ask for a new password', () => {
  test('is answered alike whoever has the address, and active users alone get a mail', async () => {
    const [known, unverified, gone] = [
      await newHolder(gatehouse),
      await newHolder(gatehouse, { isVerified: false }),
      await newHolder(gatehouse),
    ];
    await deactivate(gone.id);
    const nobody = `${uniqueName('nobody')}@example.org`;
    const answers = [];
    for (const email of [known.email, unverified.email, gone.email, nobody]) answers.push(await request(email));
    const seen = answers.map(({ status, text, headers }) => [status, text, [...headers.keys()].toSorted().join()]);
    expect(new Set(seen.map(String)).size).toBe(1);
    expect(seen[0]?.slice(0, 2)).toEqual([202, '']);
    await nothingWaits(gatehouse);
    expect([known, unverified, gone].map(({ email }) => resetsOf(email).length)).toEqual([1, 1, 0]);
    expect(resetsOf(nobody)).toEqual([]);
  });

  test('brings a link that nothing mangles, and a code, to the address as the user spelled it', async () => {
    const { email } = await newHolder(gatehouse);
    await request(email.toUpperCase());
    const [mail] = await mailbox.wait(email);
    expect(linkOf(mail as ReadMail)).toMatch(/^http:\/\/gatehouse\.test\/account\/reset#[0-9a-f]{40}$/);
    expect(codeOf(mail as ReadMail)).toMatch(/^\d{8}$/);
  });

  test('is answered in the language of the profile, then of the browser', async () => {
    const [german, plain] = [await newHolder(gatehouse, { profile: { locale: 'de-AT' } }), await newHolder(gatehouse)];
    await request(german.email, { 'accept-language': 'en' });
    await request(plain.email, { 'accept-language': 'fr, de;q=0.5' });
    for (const { email } of [german, plain]) expect((await mailbox.wait(email))[0]?.text).toContain('Passwort');
  });

  test('brings at most five mails an hour to an address, of which the last three are good', async () => {
    const { email } = await newHolder(gatehouse);
    const tokens: string[] = [];
    for (let time = 0; time < 5; time++) tokens.push(tokenOf(await mailed(email)));
    expect((await request(email)).status).toBe(202);
    await nothingWaits(gatehouse);
    expect(resetsOf(email)).toHaveLength(5);
    const outcomes = [];
    for (const token of tokens) outcomes.push(outcome(await confirm({ token, password: 'short' })));
    const good = [400, 'password-refused'];
    expect(outcomes).toEqual([refused, refused, good, good, good]);
  });

  test('sets its work off at no time that the next request could feel', async () => {
    const delays: number[] = [];
    const em = gatehouse.app.get(SqlEntityManager).fork();
    await em.begin();
    for (let time = 0; time < 30; time++) {
      const message = { kind: 'password-reset', payload: {}, userId: undefined };
      const id = await gatehouse.app.get(OutboxService).addIfRoom(em, message);
      const late = 'select extract(epoch from due_at - now())::float8 as seconds from outbox where id = ?';
      for (const { seconds } of await em.execute<{ seconds: number }[]>(late, [id])) delays.push(seconds);
    }
    await em.rollback();
    expect([Math.min(...delays) < 0.3, Math.max(...delays) > 0.7, Math.max(...delays) <= 1.001]).toEqual([
      true,
      true,
      true,
    ]);
  });

  test.each([{}, { email: 'no address' }, { email: 'a@example.org', more: 1 }])('takes no %j', async (body) => {
    const answer = await gatehouse.api.post('/v1/auth/password-reset', { body });
    expect(outcome(answer)).toEqual([400, 'invalid-request']);
  });
});

describe('a new password', () => {
  test('is set by the link: the old one is dead, all sessions end, and nobody is signed in', async () => {
    const [person, other] = [await newHolder(gatehouse), await newPerson(gatehouse)];
    const token = tokenOf(await mailed(person.email));
    const answer = await confirm({ token, password });
    expect([answer.status, answer.text, answer.headers.get('set-cookie')]).toEqual([204, '', null]);
    expect(await isAccepted(gatehouse, person.token)).toBe(false);
    const refreshed = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: person.refreshToken } });
    expect(refreshed.status).toBe(401);
    expect(await isAccepted(gatehouse, other.token)).toBe(true);
    expect((await login(person.userName, person.password)).status).toBe(401);
    await signIn(gatehouse, { userName: person.userName, password });
    expect(outcome(await confirm({ token, password: 'nine small windows' }))).toEqual(refused);
  });

  test('is set by the code with the address, as people type both; the link is dead with it', async () => {
    const { email, userName } = await newHolder(gatehouse);
    const mail = await mailed(email);
    const code = codeOf(mail).replace(/^.{4}/, '$& - ');
    expect(outcome(await confirm({ email: email.toUpperCase(), code, password }))).toBe(204);
    expect(outcome(await confirm({ token: tokenOf(mail), password }))).toEqual(refused);
    await signIn(gatehouse, { userName, password });
  });

  test('ends all other links and codes of the user', async () => {
    const { email } = await newHolder(gatehouse);
    const [first, second] = [await mailed(email), await mailed(email)];
    expect(outcome(await confirm({ token: tokenOf(first), password }))).toBe(204);
    expect(outcome(await confirm({ token: tokenOf(second), password }))).toEqual(refused);
    expect(outcome(await confirm({ email, code: codeOf(second), password }))).toEqual(refused);
  });

  test('that is refused uses nothing up, and says why', async () => {
    const { email, userName } = await newHolder(gatehouse);
    const token = tokenOf(await mailed(email));
    const answer = await confirm({ token, password: userName });
    expect(outcome(answer)).toEqual([400, 'password-refused']);
    expect(answer.body.errors[0].path).toBe('password');
    expect(outcome(await confirm({ token, password }))).toBe(204);
  });

  test('confirms the address that the mail went to, is recorded, and its owner is told', async () => {
    const { id, email } = await newHolder(gatehouse, { isVerified: false });
    expect(outcome(await confirm({ token: tokenOf(await mailed(email)), password }))).toBe(204);
    expect(await execute(gatehouse, 'select email_verified from users where id = ?', [id])).toEqual([
      { email_verified: true },
    ]);
    const { token } = await signInAdmin(gatehouse);
    const found = (await events(token, `userId=${id}`)).map(({ event, caller }) => `${event} ${caller}`);
    expect(found).toEqual(expect.arrayContaining(['password-reset anonymous', 'email-verified anonymous']));
    const [, told] = await mailbox.wait(email, 2);
    expect(told?.subject).toBe('Your password was changed');
  });

  test('lets its owner in at once, however often strangers have guessed before', async () => {
    const { email, userName } = await newHolder(gatehouse);
    for (let time = 0; time < 7; time++) await login(userName, 'a guess');
    expect(outcome(await confirm({ token: tokenOf(await mailed(email)), password }))).toBe(204);
    await signIn(gatehouse, { userName, password });
  });

  test('is not set for somebody who was deactivated meanwhile', async () => {
    const { id, email } = await newHolder(gatehouse);
    const token = tokenOf(await mailed(email));
    await deactivate(id);
    expect(outcome(await confirm({ token, password }))).toEqual(refused);
  });

  test('is not set by a link that is an hour old', async () => {
    const { id, email } = await newHolder(gatehouse);
    const token = tokenOf(await mailed(email));
    const age = "update one_time_tokens set created_at = created_at - interval '1 hour' where user_id = ?";
    await execute(gatehouse, age, [id]);
    expect(outcome(await confirm({ token, password }))).toEqual(refused);
  });

  test.each([
    ['nothing', {}, 'token required'],
    ['a code without its address', { code: '12345678' }, 'email required'],
    ['an address without a code', { email: 'a@example.org' }, 'code required'],
    ['a link and a code', { token: 'a'.repeat(40), email: 'a@example.org', code: '12345678' }, 'token invalid'],
    ['a link that is too short', { token: 'a'.repeat(39) }, 'token invalid-format'],
    ['a code that is too short', { email: 'a@example.org', code: '1234567' }, 'code invalid-format'],
  ])('is not set by %s', async (_, proof, fault) => {
    const answer = await confirm({ ...proof, password });
    expect(outcome(answer)).toEqual([400, 'invalid-request']);
    expect(answer.body.errors.map(({ path, code }: { path: string; code: string }) => `${path} ${code}`)).toEqual([
      fault,
    ]);
  });
});

describe('five wrong codes', () => {
  test('end the codes of an address, and its links go on', async () => {
    const { email } = await newHolder(gatehouse);
    const mail = await mailed(email);
    const [code, wrong] = [codeOf(mail), wrongOf(codeOf(mail))];
    for (let time = 0; time < 5; time++) {
      expect(outcome(await confirm({ email, code: wrong, password }))).toEqual(refused);
    }
    expect(outcome(await confirm({ email, code, password }))).toEqual(refused);
    expect(outcome(await confirm({ token: tokenOf(mail), password }))).toBe(204);
  });

  test('leave a code good while they are four', async () => {
    const { email } = await newHolder(gatehouse);
    const code = codeOf(await mailed(email));
    for (let time = 0; time < 4; time++) await confirm({ email, code: wrongOf(code), password });
    expect(outcome(await confirm({ email, code, password }))).toBe(204);
  });

  test('are recorded alike for an address that somebody has and for one that nobody has', async () => {
    const { email } = await newHolder(gatehouse);
    const code = wrongOf(codeOf(await mailed(email)));
    const { token } = await signInAdmin(gatehouse);
    const rows = [];
    for (const address of [email, `${uniqueName('nobody')}@example.org`]) {
      expect(outcome(await confirm({ email: address, code, password }))).toEqual(refused);
      const [{ id: _, at: __, requestId: ___, ...row }] = await events(token, 'event=one-time-code-refused&limit=1');
      rows.push(row);
    }
    expect(rows[0]).toMatchObject({ userId: null, caller: 'anonymous', details: { purpose: 'password-reset' } });
    expect(rows[1]).toEqual(rows[0]);
  });
});

test('over GraphQL it is the same', async () => {
  const { email, userName } = await newHolder(gatehouse);
  const asked = await ask(gatehouse, `mutation { requestPasswordReset(email: "${email}") }`);
  expect(asked.data).toEqual({ requestPasswordReset: true });
  const [mail] = await mailbox.wait(email);
  const mutation = 'mutation ($input: PasswordResetInput!) { confirmPasswordReset(input: $input) }';
  const by = (token: string) => ask(gatehouse, mutation, { variables: { input: { token, password } } });
  expect((await by('0'.repeat(40))).code).toBe('invalid-confirmation');
  expect((await by(tokenOf(mail as ReadMail))).data).toEqual({ confirmPasswordReset: true });
  await signIn(gatehouse, { userName, password });
});
