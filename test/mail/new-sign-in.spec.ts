import { SqlEntityManager } from '@mikro-orm/sql';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { OutboxSender } from '#libs/platform/outbox';

import type { Answer } from '../support/api.js';
import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newPerson, type Person, uniqueName } from '../support/people.js';
import { challengeOf, complete } from '../support/second-factor-logins.js';
import { addTotp, codeOf } from '../support/second-factors.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const patience = { timeout: 20_000, interval: 20 };
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

let sink: SmtpSink;
let own: OwnDatabase;
let gatehouse: Gatehouse;

beforeAll(async () => {
  sink = await startSmtpSink();
  own = await copyDatabase();
  const mail = { MAIL: 'smtp', SMTP_URL: sink.url, MAIL_FROM: 'id@example.org' };
  gatehouse = await startGatehouse({ ...mail, TRUST_PROXY: '127.0.0.1' }, own);
});
afterAll(async () => {
  await gatehouse?.stop();
  await own?.drop();
  await sink?.stop();
});

const sql = (statement: string, values: unknown[] = []): Promise<any[]> =>
  gatehouse.app.get(SqlEntityManager).fork().execute(statement, values);
const mailTo = (address: string): readonly string[] =>
  sink.received.filter(({ to, raw }) => to.includes(address) && raw.includes('New sign-in')).map(({ raw }) => raw);
const login = ({ userName, password }: Person, headers: Record<string, string>): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/login', { body: { userName, password }, headers });
const cookieOf = ({ headers }: Answer): string => headers.get('set-cookie')?.split(';', 1)[0] ?? '';

/** Somebody who has had the account for a day. */
async function newSettler(fields: Record<string, unknown> = {}): Promise<Person & { readonly email: string }> {
  const email = `${uniqueName()}@example.org`;
  const person = await newPerson(gatehouse, { firstName: 'Ada', ...fields });
  // their first sign-in is looked at while they are new
  await settle();
  await sql("update users set email = ?, email_key = ?, created_at = now() - interval '1 day' where id = ?", [
    email,
    email,
    person.id,
  ]);
  return { ...person, email };
}

/** When everything that was begun before has been handed over. */
async function settle(): Promise<void> {
  gatehouse.app.get(OutboxSender).wake();
  await vi.waitFor(async () => expect(await sql('select kind from outbox')).toEqual([]), patience);
}

describe('a sign-in from a device that the account does not know', () => {
  test('is told by mail: when, from where and with what', async () => {
    const person = await newSettler();
    await login(person, { 'user-agent': firefox, 'x-forwarded-for': '203.0.113.7' });
    await vi.waitFor(() => expect(mailTo(person.email)).toHaveLength(1), patience);
    const [raw = ''] = mailTo(person.email);
    const text = raw.replaceAll('=\r\n', '').replaceAll('=3D', '=');
    expect(text).toContain('Hello Ada');
    expect(text).toMatch(
      /on \d{1,2} [A-Z][a-z]+ \d{4} at \d\d:\d\d UTC, from the address 203\.0\.113\.7 with Firefox on Linux\./,
    );
  });

  test('is told once a code of the second factor was given, and not before', async () => {
    const person = await newSettler();
    const { secret } = await addTotp(gatehouse, person);
    const from = { headers: { 'user-agent': firefox } };
    const challenge = await challengeOf(gatehouse, person, from);
    await settle();
    expect(mailTo(person.email)).toEqual([]);
    expect((await complete(gatehouse, challenge, codeOf(secret), from)).status).toBe(200);
    await vi.waitFor(() => expect(mailTo(person.email)).toHaveLength(1), patience);
  });

  test('speaks the language of the profile', async () => {
    const person = await newSettler({ profile: { locale: 'de-AT' } });
    await login(person, { 'user-agent': firefox });
    await vi.waitFor(
      () =>
        expect(sink.received.some(({ to, raw }) => to.includes(person.email) && /Subject:.*Neue/.test(raw))).toBe(true),
      patience,
    );
  });
});

describe('nobody is told', () => {
  test('of a device with the cookie of the account', async () => {
    const person = await newSettler();
    const cookie = cookieOf(await login(person, { 'user-agent': firefox }));
    await vi.waitFor(() => expect(mailTo(person.email)).toHaveLength(1), patience);
    await login(person, { 'user-agent': 'curl/8', cookie });
    await settle();
    expect(mailTo(person.email)).toHaveLength(1);
  });

  test('of the same program at the same address while a session of it lives', async () => {
    const person = await newSettler();
    const here = { 'user-agent': firefox, 'x-forwarded-for': '203.0.113.8' };
    await login(person, here);
    await login(person, here);
    await settle();
    expect(mailTo(person.email)).toHaveLength(1);
    await login(person, { ...here, 'x-forwarded-for': '203.0.113.9' });
    await vi.waitFor(() => expect(mailTo(person.email)).toHaveLength(2), patience);
  });

  test('whose account was made within the hour, or who has no address', async () => {
    const email = `${uniqueName()}@example.org`;
    const fresh = await newPerson(gatehouse);
    await sql('update users set email = ?, email_key = ? where id = ?', [email, email, fresh.id]);
    await login(fresh, { 'user-agent': firefox });
    const without = await newPerson(gatehouse);
    await sql("update users set created_at = now() - interval '1 day' where id = ?", [without.id]);
    await login(without, { 'user-agent': firefox });
    await settle();
    expect(mailTo(email)).toEqual([]);
  });

  test('of a wrong password', async () => {
    const person = await newSettler();
    await login({ ...person, password: 'not the password' }, { 'user-agent': firefox });
    await settle();
    expect(mailTo(person.email)).toEqual([]);
  });
});

test('when two strangers sign in at once with the same program, at least one is told of', async () => {
  const person = await newSettler();
  const here = { 'user-agent': 'curl/8', 'x-forwarded-for': '203.0.113.10' };
  await Promise.all([login(person, here), login(person, here)]);
  await settle();
  expect(mailTo(person.email).length).toBeGreaterThan(0);
});
