import { describe, expect, test } from 'vitest';

import { newInvitation, newMailed, sendForm } from '../support/account-pages.js';
import { execute, newHolder, nothingWaits, useMailbox } from '../support/reset-mailbox.js';
import { newPerson, signIn, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const mailbox = useMailbox();
const gatehouse = useGatehouse({ environment: mailbox.environment });
const password = 'eight tall chimneys';

describe('without JavaScript', () => {
  test('a mail is asked for, and the page says the same of an address that nobody has', async () => {
    const { email } = await newHolder(gatehouse);
    const known = await sendForm(gatehouse, '/account/reset', { email });
    const nobody = `${uniqueName('mail')}@example.org`;
    const unknown = await sendForm(gatehouse, '/account/reset', { email: nobody });
    expect([known.status, unknown.status]).toEqual([200, 200]);
    expect(known.text.replaceAll(email, '')).toBe(unknown.text.replaceAll(nobody, ''));
    expect(known.text).toMatch(/role="status"[^<]*>If there is an account/);
    expect(known.text).toContain(`value="${email}"`);
    await nothingWaits(gatehouse);
    expect([mailbox.of(email).length, mailbox.of(nobody).length]).toEqual([1, 0]);
  });

  test('a password is set by the code, with a blank in it as people type it', async () => {
    const { person, code } = await newMailed(gatehouse, mailbox, 'reset');
    const fields = { email: person.email, code: `${code.slice(0, 4)} ${code.slice(4)}`, password };
    const done = await sendForm(gatehouse, '/account/reset/password', fields);
    expect([done.status, /<section id="done"/.test(done.text)]).toEqual([200, true]);
    expect(done.text).not.toContain(password);
    expect(done.headers.get('set-cookie')).toBeNull();
    await signIn(gatehouse, { userName: person.userName, password });
    const again = await sendForm(gatehouse, '/account/reset/password', fields);
    expect([again.status, /id="code-code-error"/.test(again.text)]).toEqual([400, true]);
  });

  test('a password is set by the token, and a refused one says why at its field and uses nothing up', async () => {
    const { person, token } = await newMailed(gatehouse, mailbox, 'reset');
    const refused = await sendForm(gatehouse, '/account/reset/password', { token, password: '12345' });
    expect(refused.status).toBe(400);
    expect(refused.text).toMatch(/id="link-password-error" role="alert"[^<]*>The password must have at least 8 char/);
    expect(refused.text).toMatch(/aria-describedby="link-password-hint link-password-error"\s+aria-invalid="true"/);
    expect(refused.text).toContain(`name="token" value="${token}"`);
    expect(refused.text).not.toContain('12345"');
    const set = await sendForm(gatehouse, '/account/reset/password', { token, password });
    expect([set.status, /<section id="done"/.test(set.text)]).toEqual([200, true]);
    await signIn(gatehouse, { userName: person.userName, password });
    const again = await sendForm(gatehouse, '/account/reset/password', { token, password });
    expect([again.status, /role="alert"[^<]*>The link or the code is wrong/.test(again.text)]).toEqual([400, true]);
  });

  test('an address is confirmed by the code, and once', async () => {
    const { person, code } = await newMailed(gatehouse, mailbox, 'verify');
    const fields = { email: person.email, code };
    const wrong = await sendForm(gatehouse, '/account/verify', { ...fields, code: '1' });
    expect([wrong.status, /id="code-code-error" role="alert"/.test(wrong.text)]).toEqual([400, true]);
    const done = await sendForm(gatehouse, '/account/verify', fields);
    expect([done.status, /<section id="done"/.test(done.text)]).toEqual([200, true]);
    const { body } = await gatehouse.api.get('/v1/users/me', { token: person.token });
    expect(body).toMatchObject({ email: person.email, emailVerified: true });
    expect((await sendForm(gatehouse, '/account/verify', fields)).status).toBe(400);
  });

  test('a new mail is asked for, by which an address is confirmed', async () => {
    const { person, token } = await newMailed(gatehouse, mailbox, 'verify');
    const { email } = person;
    const asked = await sendForm(gatehouse, '/account/verify/mail', { email });
    expect([asked.status, /role="status"[^<]*>If there is/.test(asked.text)]).toEqual([200, true]);
    await mailbox.wait(email, 2);
    const done = await sendForm(gatehouse, '/account/verify', { token });
    expect([done.status, /<section id="done"/.test(done.text)]).toEqual([200, true]);
    const again = await sendForm(gatehouse, '/account/verify', { token });
    expect([again.status, /role="alert"[^<]*>The link or the code is wrong/.test(again.text)]).toEqual([400, true]);
  });

  test('an invitation is accepted by the pasted link, when what was refused is mended', async () => {
    const token = await newInvitation(gatehouse, { firstName: 'Ada', lastName: 'Lovelace' });
    const fields = { token: `http://gatehouse.test/account/invitation#${token}.`, userName: uniqueName(), password };
    const refused = await sendForm(gatehouse, '/account/invitation', { ...fields, password: 'short' });
    expect([refused.status, /id="form-password-error" role="alert"/.test(refused.text)]).toEqual([400, true]);
    expect(refused.text).toContain(`value="${fields.userName}"`);
    const other = await newPerson(gatehouse);
    const taken = await sendForm(gatehouse, '/account/invitation', { ...fields, userName: other.userName });
    expect([taken.status, /id="form-userName-error" role="alert"/.test(taken.text)]).toEqual([409, true]);
    const done = await sendForm(gatehouse, '/account/invitation', fields);
    expect([done.status, /<section id="done"/.test(done.text)]).toEqual([200, true]);
    await signIn(gatehouse, fields);
    const again = await sendForm(gatehouse, '/account/invitation', { ...fields, userName: uniqueName() });
    expect([again.status, /id="form-token-error" role="alert"/.test(again.text)]).toEqual([400, true]);
  });

  test('what was typed comes back as text alone', async () => {
    const email = '"><script>alert(1)</script>';
    const { status, text } = await sendForm(gatehouse, '/account/reset', { email });
    expect([status, text.includes('<script>alert')]).toEqual([400, false]);
    expect(text).toContain('&quot;&gt;&lt;script&gt;alert(1)');
    expect(text).toMatch(/id="ask-email-error" role="alert"[^<]*>Type an e-mail address/);
  });

  test('the page speaks German to who asks for it', async () => {
    const headers = { 'accept-language': 'de-AT,de;q=0.9,en;q=0.1' };
    const { text } = await sendForm(gatehouse, '/account/reset', { email: 'no' }, headers);
    expect(text).toMatch(/<html lang="de">/);
    expect(text).toMatch(/Geben Sie eine E-Mail-Adresse ein/);
  });
});

describe('a form', () => {
  test.each([
    ['cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['of a neighbour', { 'sec-fetch-site': 'same-site' }],
    ['of another origin', { origin: 'https://elsewhere.example' }],
  ])('that is %s is refused, and does nothing', async (_, headers) => {
    const { email } = await newHolder(gatehouse);
    const { status, text } = await sendForm(gatehouse, '/account/reset', { email }, headers);
    expect([status, /<!doctype html>/.test(text)]).toEqual([403, true]);
    expect(await execute(gatehouse, 'select id from outbox where payload::text like ?', [`%${email}%`])).toEqual([]);
  });

  test.each([
    ['its own origin', { origin: 'http://gatehouse.test', 'sec-fetch-site': 'same-origin' }],
    ['no origin, as our own pages have none', { origin: 'null', 'sec-fetch-site': 'same-origin' }],
    ['nothing, as old browsers do', {}],
  ])('that names %s is taken', async (_, headers) => {
    const email = `${uniqueName('mail')}@example.org`;
    expect((await sendForm(gatehouse, '/account/reset', { email }, headers)).status).toBe(200);
  });

  test('is a form: JSON is refused, and a body that is too large', async () => {
    const headers = { 'content-type': 'application/json' };
    const json = await fetch(`${gatehouse.url}/account/reset`, { method: 'POST', headers, body: '{}' });
    expect([json.status, json.headers.get('content-type')]).toEqual([415, 'text/html; charset=utf-8']);
    const large = await sendForm(gatehouse, '/account/reset', { email: 'a'.repeat(20_000) });
    expect([large.status, large.headers.get('content-type')]).toEqual([413, 'text/html; charset=utf-8']);
    const unknown = await sendForm(gatehouse, '/account/reset', { email: 'a@example.org', admin: 'yes' });
    expect([unknown.status, unknown.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8']);
  });
});

test('an answer to a form is kept nowhere, and closed to everything from elsewhere', async () => {
  for (const email of ['ada@example.org', 'no address']) {
    const { headers, text } = await sendForm(gatehouse, '/account/reset', { email });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-robots-tag')).toMatch(/noindex/);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'.*form-action 'self'$/);
    expect(text).not.toMatch(/https?:\/\/|<script>|<style|style=|\son\w+=/);
  }
});
