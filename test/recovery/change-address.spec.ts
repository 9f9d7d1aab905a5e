import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { ask } from '../support/graphql.js';
import { importRow, importUsers } from '../support/imports.js';
import { type Mailbox, openMailbox } from '../support/mailbox.js';
import { newPerson, type Person, signIn, signInAdmin, uniqueName } from '../support/people.js';
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

/** Somebody with a confirmed address. */
async function somebody(): Promise<Addressed> {
  const email = newAddress();
  const person = await newPerson(gatehouse, { email });
  expect((await confirm({ token: (await mailbox.last(email)).token })).status).toBe(204);
  return { ...person, email };
}

const confirm = (body: object): Promise<Answer> => gatehouse.api.post('/v1/auth/email-verification/confirm', { body });
const patch = ({ token }: { token: string }, body: object, headers = {}): Promise<Answer> =>
  gatehouse.api.patch('/v1/users/me', { token, body, headers });
const read = async ({ id }: { id: string }): Promise<any> =>
  (await gatehouse.api.get(`/v1/users/${id}`, { token: boss })).body;
const rows = (text: string, values: readonly unknown[]): Promise<any[]> =>
  gatehouse.app.get(Sql).rows<any>({ text }, values);
const changesOf = async ({ id }: { id: string }): Promise<unknown[]> =>
  (
    await rows(
      `select event, details->'fields' as fields from audit_events
        where user_id = $1 and event in ('user-changed', 'email-verified') order by id`,
      [id],
    )
  ).map(({ event, fields }) => [event, fields]);

/** Of a list the only one. */
const one = ({ body }: Answer): any => body.items?.[0] ?? body;

describe('an address that is given later', () => {
  test('waits until it is confirmed; then the old one is told', async () => {
    const ada = await somebody();
    const wanted = newAddress();
    const changed = await patch(ada, { email: wanted });
    expect([changed.status, changed.body]).toEqual([
      200,
      expect.objectContaining({ email: ada.email, emailVerified: true, pendingEmail: wanted }),
    ]);
    expect((await signIn(gatehouse, { ...ada, userName: ada.email })).token).toBeTruthy();
    const mail = await mailbox.last(wanted);
    expect(mail.subject).toBe('Confirm your new e-mail address');
    expect((await confirm({ email: wanted, code: mail.code })).status).toBe(204);
    expect(await read(ada)).toMatchObject({ email: wanted, emailVerified: true, pendingEmail: null });
    expect((await mailbox.last(ada.email, 2)).subject).toBe('Your e-mail address was changed');
    expect((await signIn(gatehouse, { ...ada, userName: wanted })).token).toBeTruthy();
    expect(await changesOf(ada)).toEqual([
      ['email-verified', ['emailVerified']],
      ['user-changed', ['pendingEmail']],
      ['email-verified', ['email', 'emailVerified', 'pendingEmail']],
    ]);
  });

  test('waits as well when it is the first one of an account', async () => {
    const ada = await newPerson(gatehouse);
    const wanted = newAddress();
    expect((await patch(ada, { email: wanted })).body).toMatchObject({ email: null, pendingEmail: wanted });
    expect((await confirm({ token: (await mailbox.last(wanted)).token })).status).toBe(204);
    expect(await read(ada)).toMatchObject({ email: wanted, emailVerified: true, pendingEmail: null });
  });

  test('by an administrator waits as well, and the mail is in nobody else’s language', async () => {
    const ada = await somebody();
    const wanted = newAddress();
    const call = { token: boss, body: { email: wanted }, headers: { 'accept-language': 'de' } };
    const changed = await gatehouse.api.patch(`/v1/users/${ada.id}`, call);
    expect(changed.body).toMatchObject({ email: ada.email, pendingEmail: wanted });
    expect((await mailbox.last(wanted)).subject).toMatch(/^Confirm/);
  });

  test('is sent once more to whoever is signed in and asks, with or without naming it', async () => {
    const ada = await somebody();
    const wanted = newAddress();
    await patch(ada, { email: wanted });
    await mailbox.wait(wanted, 1);
    await gatehouse.api.post('/v1/auth/email-verification', { token: ada.token });
    await mailbox.wait(wanted, 2);
    await gatehouse.api.post('/v1/auth/email-verification', { token: ada.token, body: { email: wanted } });
    await mailbox.wait(wanted, 3);
    await gatehouse.api.post('/v1/auth/email-verification', { body: { email: wanted } });
    expect(await mailbox.all(gatehouse, wanted)).toHaveLength(3);
  });

  test('is seen by its user and by administrators, and by no service', async () => {
    const ada = await somebody();
    const wanted = newAddress();
    await patch(ada, { email: wanted });
    const { headers } = await newService(gatehouse, { token: boss, scopes: ['users:read'] });
    const query = `/v1/users?userName=${ada.userName}`;
    for (const path of [`/v1/users/${ada.id}`, `/v1/users/by-user-name/${ada.userName}`, query]) {
      expect(one(await gatehouse.api.get(path, { token: boss })).pendingEmail).toBe(wanted);
      const shown = one(await gatehouse.api.get(path, { headers }));
      expect(shown).toMatchObject({ email: ada.email, emailVerified: true });
      expect(shown).not.toHaveProperty('pendingEmail');
    }
    const asked = `{ user(id: "${ada.id}") { emailVerified pendingEmail } }`;
    expect((await ask(gatehouse, asked, { headers })).data.user).toEqual({ emailVerified: true, pendingEmail: null });
    expect((await ask(gatehouse, asked, { token: ada.token })).data.user.pendingEmail).toBe(wanted);
    const exported = await gatehouse.api.get('/v1/users/me/export', { token: ada.token });
    expect(exported.body.user.pendingEmail).toBe(wanted);
    expect(exported.body.mailedLinks).toContainEqual({
      purpose: 'email-verification',
      email: ada.email,
      wrongCodes: 0,
      createdAt: expect.any(String),
      endedAt: expect.any(String),
    });
  });

  test('that somebody has is refused, in any spelling', async () => {
    const [ada, eve] = [await somebody(), await somebody()];
    const taken = await patch(ada, { email: eve.email.toUpperCase() });
    expect([taken.status, taken.body.code]).toEqual([409, 'email-taken']);
    expect(await read(ada)).toMatchObject({ email: ada.email, pendingEmail: null });
  });

  test('that somebody else confirms first is refused then, and the link is good for no more', async () => {
    const [ada, eve] = [await somebody(), await somebody()];
    const wanted = newAddress();
    await patch(ada, { email: wanted });
    const { token } = await mailbox.last(wanted);
    await patch(eve, { email: wanted });
    const [, second] = await mailbox.wait(wanted, 2);
    expect((await confirm({ token: second?.token })).status).toBe(204);
    const refused = await confirm({ token });
    expect([refused.status, refused.body.code]).toEqual([409, 'email-taken']);
    expect(await read(ada)).toMatchObject({ email: ada.email, pendingEmail: wanted });
    expect((await read(eve)).email).toBe(wanted);
  });

  test('needs a fresh authentication', async () => {
    const ada = await somebody();
    await rows(`update sessions set authenticated_at = now() - interval '11 minutes' where id = $1`, [ada.sessionId]);
    const { body } = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: ada.refreshToken } });
    const refused = await patch({ token: body.accessToken }, { email: newAddress() });
    expect([refused.status, refused.body.code]).toEqual([403, 'fresh-authentication-required']);
  });

  test('is forgotten when the present one is sent, and its links with it', async () => {
    const ada = await somebody();
    const wanted = newAddress();
    await patch(ada, { email: wanted });
    const { token } = await mailbox.last(wanted);
    expect((await patch(ada, { email: ada.email })).body).toMatchObject({ email: ada.email, pendingEmail: null });
    expect((await confirm({ token })).body.code).toBe('invalid-confirmation');
    expect((await read(ada)).emailVerified).toBe(true);
    expect(await mailbox.all(gatehouse, ada.email)).toHaveLength(1);
  });

  test('takes the place of the one that waited before', async () => {
    const ada = await somebody();
    const [first, second] = [newAddress(), newAddress()];
    await patch(ada, { email: first });
    const { token } = await mailbox.last(first);
    await patch(ada, { email: second });
    expect((await confirm({ token })).body.code).toBe('invalid-confirmation');
    expect((await confirm({ token: (await mailbox.last(second)).token })).status).toBe(204);
    expect((await read(ada)).email).toBe(second);
  });

  test('ends the links of the old one when it is confirmed', async () => {
    const email = newAddress();
    const ada = await newPerson(gatehouse, { email });
    const old = await mailbox.last(email);
    const wanted = newAddress();
    await patch(ada, { email: wanted });
    await confirm({ token: (await mailbox.last(wanted)).token });
    expect((await confirm({ token: old.token })).body.code).toBe('invalid-confirmation');
    const good = 'select 1 from one_time_tokens where user_id = $1 and ended_at is null';
    expect(await rows(good, [ada.id])).toEqual([]);
  });
});

test('the same address in another spelling counts at once, and stays confirmed', async () => {
  const ada = await somebody();
  const email = ada.email.toUpperCase();
  expect((await patch(ada, { email })).body).toMatchObject({ email, emailVerified: true, pendingEmail: null });
});

test('an address that is removed is gone at once, with what waits, and is told', async () => {
  const ada = await somebody();
  const wanted = newAddress();
  await patch(ada, { email: wanted });
  const { token } = await mailbox.last(wanted);
  const removed = await patch(ada, { email: null });
  expect(removed.body).toMatchObject({ email: null, emailVerified: false, pendingEmail: null });
  expect((await mailbox.last(ada.email, 2)).subject).toBe('Your e-mail address was changed');
  expect((await confirm({ token })).body.code).toBe('invalid-confirmation');
});

describe('an import', () => {
  test('sends nothing, and its addresses are not confirmed', async () => {
    const email = newAddress();
    const row = importRow({ email, externalId: uniqueName() });
    await importUsers(gatehouse, [row], { token: boss });
    expect(await mailbox.all(gatehouse, email)).toEqual([]);
    const [user] = (await gatehouse.api.get(`/v1/users?email=${email}`, { token: boss })).body.items;
    expect(user).toMatchObject({ email, emailVerified: false, pendingEmail: null });
  });

  test('that changes an address takes the proof of the old one away, its links and what waits', async () => {
    const externalId = uniqueName();
    const email = newAddress();
    const row = importRow({ email, externalId });
    await importUsers(gatehouse, [row], { token: boss });
    await gatehouse.api.post('/v1/auth/email-verification', { body: { email } });
    const { token } = await mailbox.last(email);
    await rows('update users set email_verified = true, pending_email = $2 where external_id = $1', [
      externalId,
      newAddress(),
    ]);
    const other = newAddress();
    const { summary } = await importUsers(gatehouse, [{ ...row, email: other }], {
      token: boss,
      query: '?onExisting=update',
    });
    expect(summary).toMatchObject({ updated: 1 });
    const [user] = (await gatehouse.api.get(`/v1/users?email=${other}`, { token: boss })).body.items;
    expect(user).toMatchObject({ email: other, emailVerified: false, pendingEmail: null });
    expect((await confirm({ token })).body.code).toBe('invalid-confirmation');
  });
});
