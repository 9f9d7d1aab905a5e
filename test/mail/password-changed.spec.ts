import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

import { Sql } from '#libs/platform/database';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const patience = { timeout: 20_000, interval: 20 };
const from = 'Example <id@example.org>';

let sink: SmtpSink;
let own: OwnDatabase;
let gatehouse: Gatehouse;
let person: Person;

beforeAll(async () => {
  sink = await startSmtpSink();
  own = await copyDatabase();
  gatehouse = await startGatehouse({ MAIL: 'smtp', SMTP_URL: sink.url, MAIL_FROM: from }, own);
  person = await personWith('ada@example.org', gatehouse, { firstName: 'Ada <script>' });
});
afterEach(() => {
  sink.answer = undefined;
});
afterAll(async () => {
  await gatehouse?.stop();
  await own?.drop();
  await sink?.stop();
});

/** Somebody whose address is there already: one that registers with it is asked to confirm it. */
async function personWith(email: string, at: Gatehouse, fields: Record<string, unknown> = {}): Promise<Person> {
  const somebody = await newPerson(at, fields);
  const text = 'update users set email = $2, email_key = $2, email_verified = true where id = $1';
  await at.app.get(Sql).rows({ text }, [somebody.id, email]);
  return somebody;
}

async function changePassword(of: Person, before: string, after: string, at = gatehouse): Promise<string> {
  const body = { currentPassword: before, password: after };
  const answer = await at.api.put(`/v1/users/${of.id}/password`, { token: of.token, body });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.accessToken;
}

/** A new person whose password was changed, so that one mail to them is in the outbox. */
async function somebodyTold(email: string, at = gatehouse): Promise<Person> {
  const somebody = await personWith(email, at);
  await changePassword(somebody, somebody.password, 'eight tall chimneys', at);
  return somebody;
}

/** The last line of the outbox that tells of an answer of the server. */
const logged = (outcome: string, code: string): unknown =>
  gatehouse.log.findLast(
    ({ event, reason }) => event === `${outcome}: an entry of the outbox` && String(reason).includes(code),
  );
const mailTo = (address: string): readonly string[] =>
  sink.received.filter(({ to }) => to.includes(address)).map(({ raw }) => raw);
const header = (raw: string, name: string): string => new RegExp(`^${name}: (.*)$`, 'mi').exec(raw)?.[1] ?? '';

describe('when a password was changed', () => {
  test('its owner is told by mail, in text and HTML, without anything remote', async () => {
    await changePassword(person, person.password, 'eight tall chimneys');
    await vi.waitFor(() => expect(mailTo('ada@example.org')).toHaveLength(1), patience);
    const [raw = ''] = mailTo('ada@example.org');
    expect([header(raw, 'from'), header(raw, 'to'), header(raw, 'subject')]).toEqual([
      from,
      'ada@example.org',
      'Your password was changed',
    ]);
    expect(header(raw, 'auto-submitted')).toBe('auto-generated');
    expect(header(raw, 'message-id')).toMatch(/^<[\da-f-]{36}@example\.org>$/);
    const text = raw.replaceAll('=\r\n', '').replaceAll('=3D', '=');
    expect(text).toContain('Hello Ada <script>,');
    expect(text).toContain('<p>Hello Ada &lt;script&gt;,</p>');
    expect(text.replaceAll('http://gatehouse.test', '')).not.toMatch(/https?:|<img|<link|@import|url\(/);
  });

  test('by an administrator, its owner is told as well', async () => {
    const somebody = await personWith('by-admin@example.org', gatehouse);
    const { token } = await signInAdmin(gatehouse);
    const body = { password: 'nine small windows' };
    expect((await gatehouse.api.put(`/v1/users/${somebody.id}/password`, { token, body })).status).toBe(204);
    await vi.waitFor(() => expect(mailTo('by-admin@example.org')).toHaveLength(1), patience);
  });

  test('who has no address gets no mail, and nothing waits', async () => {
    const somebody = await newPerson(gatehouse);
    await changePassword(somebody, somebody.password, 'eight tall chimneys');
    await somebodyTold('after@example.org');
    await vi.waitFor(() => expect(mailTo('after@example.org')).toHaveLength(1), patience);
    expect(sink.received.flatMap(({ to }) => to)).not.toContain(somebody.userName);
  });
});

describe('when the server does not take a mail', () => {
  test('a refusal for now is tried again, with the same Message-ID', async () => {
    sink.answer = { code: 451, text: '4.3.0 not now' };
    await somebodyTold('later@example.org');
    await vi.waitFor(() => expect(logged('postponed', '451')).toMatchObject({ kind: 'mail', attempts: 1 }), patience);
    sink.answer = undefined;
    await vi.waitFor(() => expect(mailTo('later@example.org')).toHaveLength(1), patience);
    const { id } = logged('postponed', '451') as { id: string };
    expect(header(mailTo('later@example.org')[0] ?? '', 'message-id')).toBe(`<${id}@example.org>`);
  });

  test('a refusal for good is given up at once, and holds up nobody', async () => {
    sink.answer = { code: 550, text: '5.1.1 no such mailbox' };
    await somebodyTold('nobody@example.org');
    await vi.waitFor(() => expect(logged('given up', '550')).toMatchObject({ attempts: 1 }), patience);
    sink.answer = undefined;
    await somebodyTold('next@example.org');
    await vi.waitFor(() => expect(mailTo('next@example.org')).toHaveLength(1), patience);
    expect(mailTo('nobody@example.org')).toEqual([]);
  });

  test('what waits for a user who is erased is never sent', async () => {
    sink.answer = { code: 451, text: '4.3.0 not now' };
    const somebody = await personWith('erased@example.org', gatehouse);
    const before = logged('postponed', '451');
    const token = await changePassword(somebody, somebody.password, 'eight tall chimneys');
    await vi.waitFor(() => expect(logged('postponed', '451')).not.toBe(before), patience);
    const exported = await gatehouse.api.get('/v1/users/me/export', { token });
    expect(exported.body.outgoing).toEqual([{ id: expect.any(String), kind: 'mail', createdAt: expect.any(String) }]);
    expect((await gatehouse.api.delete('/v1/users/me', { token })).status).toBe(204);
    sink.answer = undefined;
    await somebodyTold('after-erasure@example.org');
    await vi.waitFor(() => expect(mailTo('after-erasure@example.org')).toHaveLength(1), patience);
    expect(mailTo('erased@example.org')).toEqual([]);
  });
});

describe('with MAIL=file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-mail-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('a mail is a file that only the service may read, in the words of MAIL_TEMPLATES', async () => {
    const templates = join(folder, 'templates');
    mkdirSync(templates);
    writeFileSync(
      join(templates, 'password-changed.de.txt'),
      'Subject: Neues Passwort\n\nHallo {{firstName}}, um {{time}}.\n',
    );
    const database = await copyDatabase();
    const settings = { MAIL: 'file', MAIL_FROM: from, MAIL_LOCALE: 'de', MAIL_TEMPLATES: templates };
    const other = await startGatehouse(settings, database);
    try {
      await somebodyTold('zoe@example.org', other);
      const mails = join(database.environment['DATA_DIR'] ?? '', 'mail');
      const names = (): string[] => readdirSync(mails).filter((name) => name.endsWith('.eml'));
      await vi.waitFor(() => expect(names()).toHaveLength(1), patience);
      const file = join(mails, names()[0] ?? '');
      expect(statSync(file).mode & 0o077).toBe(0);
      const raw = readFileSync(file, 'utf8');
      expect([header(raw, 'subject'), header(raw, 'to')]).toEqual(['Neues Passwort', 'zoe@example.org']);
      expect(raw).toContain('Hallo Ada, um ');
    } finally {
      await other.stop();
      await database.drop();
    }
  });

  test.each([
    ['pasword-changed.en.txt', 'Subject: x\n\ny\n', 'no mail uses pasword-changed.en.txt'],
    ['test.en.txt', 'Subject: x\n\n{{password}}\n', 'there is no variable {{password}} here, but: {{service}}'],
    ['test.en.txt', 'Hello\n\nyou\n', 'it must begin with a line `Subject: …`'],
  ])('the service does not start with %s that cannot be used, and says why', async (name, text, reason) => {
    const templates = mkdtempSync(join(folder, 'wrong-'));
    writeFileSync(join(templates, name), text);
    const settings = { MAIL: 'file', MAIL_FROM: from, MAIL_TEMPLATES: templates };
    await expect(startGatehouse(settings)).rejects.toThrow(reason);
  });
});
