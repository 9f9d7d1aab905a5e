import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { ask } from '../support/graphql.js';
import { type Mail, type Mailbox, openMailbox } from '../support/mailbox.js';
import { newPerson, type Person, registration, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { newService } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let mailbox: Mailbox;
let gatehouse: Gatehouse;
let boss: string;

beforeAll(async () => {
  mailbox = await openMailbox();
  gatehouse = await startGatehouse(mailbox.environment);
  boss = (await signInAdmin(gatehouse)).token;
});
afterAll(async () => {
  await gatehouse?.stop();
  await mailbox?.stop();
});

const newAddress = (): string => `${uniqueName()}@example.org`;
type Addressed = Person & { readonly email: string };

async function somebody(fields: Record<string, unknown> = {}): Promise<Addressed> {
  const email = newAddress();
  return { ...(await newPerson(gatehouse, { email, ...fields })), email };
}

const request = (body?: object, call: object = {}): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/email-verification', { body, ...call });
const confirm = (body: object): Promise<Answer> => gatehouse.api.post('/v1/auth/email-verification/confirm', { body });
const read = async ({ token }: { token: string }): Promise<any> =>
  (await gatehouse.api.get('/v1/users/me', { token })).body;
const rows = (text: string, values: readonly unknown[]): Promise<any[]> =>
  gatehouse.app.get(Sql).rows<any>({ text }, values);

describe('whoever registers with an address', () => {
  test('gets a link and a code; the link confirms the address and signs nobody in', async () => {
    const ada = await somebody({ firstName: 'Zoë' });
    expect(await read(ada)).toMatchObject({ email: ada.email, emailVerified: false, pendingEmail: null });
    const mail = await mailbox.last(ada.email);
    expect(mail.subject).toBe('Confirm your e-mail address');
    expect(mail.link).toMatch(/^http:\/\/gatehouse\.test\/account\/verify#[0-9a-f]{40}$/);
    expect(mail.code).toMatch(/^\d{8}$/);
    const before = await read(ada);
    const confirmed = await confirm({ token: mail.token });
    expect([confirmed.status, confirmed.text, confirmed.headers.get('set-cookie')]).toEqual([204, '', null]);
    const { updatedAt, ...after } = await read(ada);
    expect(after).toEqual({ ...before, emailVerified: true, updatedAt: undefined });
    expect(updatedAt > before.updatedAt).toBe(true);
    const events = await rows(
      `select event, caller, details from audit_events where user_id = $1 and event = 'email-verified'`,
      [ada.id],
    );
    expect(events).toEqual([{ event: 'email-verified', caller: 'anonymous', details: { fields: ['emailVerified'] } }]);
  });

  test('by an administrator gets the same mail', async () => {
    const email = newAddress();
    const body = registration({ email });
    expect((await gatehouse.api.post('/v1/users', { token: boss, body })).status).toBe(201);
    expect((await confirm({ token: (await mailbox.last(email)).token })).status).toBe(204);
  });

  test('reads it in the language of the request, which an administrator does not choose', async () => {
    const headers = { 'accept-language': 'de' };
    const [own, others] = [newAddress(), newAddress()];
    await gatehouse.api.post('/v1/users', { body: registration({ email: own }), headers });
    await gatehouse.api.post('/v1/users', { body: registration({ email: others }), headers, token: boss });
    expect((await mailbox.last(own)).subject).toMatch(/^(?!Confirm)/);
    expect((await mailbox.last(others)).subject).toMatch(/^Confirm/);
    const email = newAddress();
    const ada = await newPerson(gatehouse, { email, profile: { locale: 'de-AT' } });
    await request({}, { token: ada.token, headers: { 'accept-language': 'en' } });
    const mails = await mailbox.wait(email, 2);
    expect(mails.map(({ subject }) => subject.startsWith('Confirm'))).toEqual([false, false]);
  });

  test('is written into no log, and neither link nor code stands in the database', async () => {
    const { email, id } = await somebody();
    const { token, code } = await mailbox.last(email);
    const kept = JSON.stringify(await rows('select * from one_time_tokens where user_id = $1', [id]));
    expect(kept).not.toContain(token);
    expect(kept).not.toContain(code);
    await confirm({ token });
    const log = JSON.stringify(gatehouse.log);
    expect(log).not.toContain(token);
    expect(log).not.toContain(code);
  });
});

describe('a link and a code', () => {
  const spellings: [string, (mail: Mail, email: string) => object][] = [
    ['the code', ({ code }, email) => ({ email, code })],
    ['the code with a blank in it', ({ code }, email) => ({ email, code: ` ${code.slice(0, 4)} ${code.slice(4)}` })],
    ['the code with a hyphen', ({ code }, email) => ({ email, code: `${code.slice(0, 4)}-${code.slice(4)}` })],
    ['the address in capitals', ({ code }, email) => ({ email: email.toUpperCase(), code })],
    ['the token in brackets', ({ token }) => ({ token: `<${token}>.` })],
    ['the token in capitals', ({ token }) => ({ token: token.toUpperCase() })],
    ['the whole link', ({ link }) => ({ token: link })],
  ];
  test.each(spellings)('are taken as people give them: %s', async (_, given) => {
    const ada = await somebody();
    const mail = await mailbox.last(ada.email);
    expect((await confirm(given(mail, ada.email))).status).toBe(204);
    expect((await read(ada)).emailVerified).toBe(true);
  });

  test('end together: whichever is used first', async () => {
    const [ada, eve] = [await somebody(), await somebody()];
    const [first, second] = [await mailbox.last(ada.email), await mailbox.last(eve.email)];
    expect((await confirm({ token: first.token })).status).toBe(204);
    expect((await confirm({ email: ada.email, code: first.code })).body.code).toBe('invalid-confirmation');
    expect((await confirm({ email: eve.email, code: second.code })).status).toBe(204);
    expect((await confirm({ token: second.token })).body.code).toBe('invalid-confirmation');
  });

  test('of another user’s mail are good for nobody else', async () => {
    const [ada, eve] = [await somebody(), await somebody()];
    const { code } = await mailbox.last(ada.email);
    expect((await confirm({ email: eve.email, code })).body.code).toBe('invalid-confirmation');
    expect((await read(eve)).emailVerified).toBe(false);
  });

  test('end with a change of the password', async () => {
    const ada = await somebody();
    const { token, code } = await mailbox.last(ada.email);
    const body = { currentPassword: ada.password, password: 'eight tall chimneys' };
    expect((await gatehouse.api.put(`/v1/users/${ada.id}/password`, { token: ada.token, body })).status).toBe(200);
    expect((await confirm({ token })).status).toBe(400);
    expect((await confirm({ email: ada.email, code })).status).toBe(400);
  });

  test('after an hour are good no more', async () => {
    const ada = await somebody();
    const { token } = await mailbox.last(ada.email);
    await rows(`update one_time_tokens set created_at = now() - interval '61 minutes' where user_id = $1`, [ada.id]);
    expect((await confirm({ token })).body.code).toBe('invalid-confirmation');
  });

  test('of a deactivated user confirm nothing', async () => {
    const ada = await somebody();
    const { token } = await mailbox.last(ada.email);
    await gatehouse.api.patch(`/v1/users/${ada.id}`, { token: boss, body: { status: 'deactivated' } });
    expect((await confirm({ token })).body.code).toBe('invalid-confirmation');
  });

  test('five wrong codes end a code and not its link', async () => {
    const ada = await somebody();
    const { token, code } = await mailbox.last(ada.email);
    const wrong = String((Number(code) + 1) % 100_000_000).padStart(8, '0');
    for (let tries = 0; tries < 5; tries++) {
      expect((await confirm({ email: ada.email, code: wrong })).body.code).toBe('invalid-confirmation');
    }
    expect((await confirm({ email: ada.email, code })).body.code).toBe('invalid-confirmation');
    expect((await confirm({ token })).status).toBe(204);
  });

  test('four wrong codes and wrong tokens end nothing', async () => {
    const ada = await somebody();
    const { token, code } = await mailbox.last(ada.email);
    const wrong = String((Number(code) + 1) % 100_000_000).padStart(8, '0');
    for (let tries = 0; tries < 4; tries++) await confirm({ email: ada.email, code: wrong });
    for (let tries = 0; tries < 6; tries++)
      await confirm({ token: token.replace(/./, (d) => (d === 'f' ? '0' : 'f')) });
    expect((await confirm({ email: ada.email, code })).status).toBe(204);
  });

  test('a wrong code is in the audit, whether the address is somebody’s or not, without either', async () => {
    const { email } = await somebody();
    await mailbox.last(email);
    const count = async (): Promise<number> =>
      (await rows(`select 1 from audit_events where event = 'one-time-code-refused'`, [])).length;
    for (const tried of [email, newAddress()]) {
      const before = await count();
      const { status, body } = await confirm({ email: tried, code: '00000000' });
      expect([status, body.code]).toEqual([400, 'invalid-confirmation']);
      expect((await count()) - before).toBe(1);
    }
    const [row] = await rows(
      `select user_id, details from audit_events where event = 'one-time-code-refused' order by id desc limit 1`,
      [],
    );
    expect(row).toEqual({ user_id: null, details: { purpose: 'email-verification' } });
  });

  test.each<[string, object, string, string]>([
    ['nothing', {}, 'token', 'required'],
    ['a code without an address', { code: '12345678' }, 'email', 'required'],
    ['an address without a code', { email: 'ada@example.org' }, 'code', 'required'],
    ['both', { token: 'a'.repeat(40), email: 'ada@example.org', code: '12345678' }, 'token', 'invalid'],
    ['seven digits', { email: 'ada@example.org', code: '1234567' }, 'code', 'invalid-format'],
    ['a token that is too short', { token: 'abc' }, 'token', 'invalid-format'],
    ['another field', { token: 'a'.repeat(40), password: 'x' }, 'password', 'unknown-field'],
  ])('%s is refused by name', async (_, body, path, code) => {
    const answer = await confirm(body);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
    expect(answer.body.errors).toContainEqual(expect.objectContaining({ path, code }));
  });
});

describe('another mail', () => {
  test('can be asked for by its user, by anybody who names the address, and by services', async () => {
    const ada = await somebody();
    const service = await newService(gatehouse, { token: boss, scopes: ['users:read'] });
    await mailbox.wait(ada.email, 1);
    expect((await request(undefined, { token: ada.token })).status).toBe(202);
    await mailbox.wait(ada.email, 2);
    expect((await request({ email: ada.email })).status).toBe(202);
    await mailbox.wait(ada.email, 3);
    expect((await request({ email: ada.email.toUpperCase() }, { headers: service.headers })).status).toBe(202);
    const mails = await mailbox.wait(ada.email, 4);
    expect(new Set(mails.map(({ token }) => token)).size).toBe(4);
  });

  test.each([
    ['nobody', () => ({})],
    ['whose token is no good', () => ({ token: 'not.a.token' })],
  ])('cannot be asked for by %s without an address', async (_, call) => {
    const { status, body } = await request({}, call());
    expect([status, body.code]).toEqual([400, 'invalid-request']);
    expect(body.errors).toEqual([expect.objectContaining({ path: 'email', code: 'required' })]);
  });

  test('leaves the last three good; the one before is not any more', async () => {
    const ada = await somebody();
    await mailbox.wait(ada.email, 1);
    for (let count = 2; count <= 4; count++) {
      await request({ email: ada.email });
      await mailbox.wait(ada.email, count);
    }
    const [first, second, third, fourth] = await mailbox.wait(ada.email, 4);
    expect((await confirm({ token: first?.token })).body.code).toBe('invalid-confirmation');
    expect((await confirm({ email: ada.email, code: first?.code })).body.code).toBe('invalid-confirmation');
    for (const mail of [second, third, fourth]) expect((await confirm({ token: mail?.token })).status).toBe(204);
  });

  test('is the same answer for all; only who has something to confirm gets five in an hour', async () => {
    const [limited, confirmed, gone] = [await somebody(), await somebody(), await somebody()];
    const [{ token }] = await Promise.all([mailbox.last(confirmed.email), mailbox.last(limited.email)]);
    await mailbox.last(gone.email);
    await confirm({ token });
    await gatehouse.api.patch(`/v1/users/${gone.id}`, { token: boss, body: { status: 'deactivated' } });
    const answers: Answer[] = [];
    for (const email of [confirmed.email, gone.email, newAddress(), ...Array(6).fill(limited.email)]) {
      answers.push(await request({ email }));
    }
    answers.push(await request({}, { token: confirmed.token }));
    const shown = answers.map(({ status, text, headers }) => [status, text, [...headers.keys()].toSorted()]);
    expect(new Set(shown.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(shown[0]?.slice(0, 2)).toEqual([202, '']);
    expect(await mailbox.all(gatehouse, limited.email)).toHaveLength(5);
    expect(await mailbox.all(gatehouse, confirmed.email)).toHaveLength(1);
    expect(await mailbox.all(gatehouse, gone.email)).toHaveLength(1);
  });

  test('over GraphQL is asked for and confirmed as well', async () => {
    const ada = await somebody();
    await mailbox.wait(ada.email, 1);
    const asked = await ask(gatehouse, 'mutation { requestEmailVerification }', { token: ada.token });
    expect(asked.data).toEqual({ requestEmailVerification: true });
    const { code } = await mailbox.last(ada.email, 2);
    const variables = { input: { email: ada.email, code, token: null } };
    const mutation = 'mutation ($input: EmailConfirmation!) { confirmEmail(input: $input) }';
    expect((await ask(gatehouse, mutation, { variables })).data).toEqual({ confirmEmail: true });
    expect((await ask(gatehouse, mutation, { variables })).code).toBe('invalid-confirmation');
    const { token } = await signIn(gatehouse, ada);
    const me = await ask(gatehouse, '{ me { email emailVerified pendingEmail } }', { token });
    expect(me.data.me).toEqual({ email: ada.email, emailVerified: true, pendingEmail: null });
  });
});
