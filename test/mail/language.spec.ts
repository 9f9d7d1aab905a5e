import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newPerson, signInAdmin, uniqueName } from '../support/people.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const password = 'eight tall chimneys';

let sink: SmtpSink;
let own: OwnDatabase;
let gatehouse: Gatehouse;

beforeAll(async () => {
  sink = await startSmtpSink();
  own = await copyDatabase();
  gatehouse = await startGatehouse({ MAIL: 'smtp', SMTP_URL: sink.url, MAIL_FROM: 'id@example.org' }, own);
});
afterAll(async () => {
  await gatehouse?.stop();
  await own?.drop();
  await sink?.stop();
});

type Changed = { readonly profile?: object; readonly header?: string; readonly by?: 'administrator' };

/** The language of the mail to somebody whose password is changed. */
async function languageOf({ profile, header, by }: Changed): Promise<string> {
  const email = `${uniqueName()}@example.org`;
  const person = await newPerson(gatehouse, { email });
  if (profile) {
    const changed = await gatehouse.api.patch('/v1/users/me', { token: person.token, body: { profile } });
    expect(changed.status, changed.text).toBe(200);
  }
  const token = by ? (await signInAdmin(gatehouse)).token : person.token;
  const body = by ? { password } : { password, currentPassword: person.password };
  const headers: Record<string, string> = header === undefined ? {} : { 'accept-language': header };
  const answer = await gatehouse.api.put(`/v1/users/${person.id}/password`, { token, body, headers });
  expect([200, 204], answer.text).toContain(answer.status);
  const find = () => sink.received.find(({ to }) => to.includes(email));
  await vi.waitFor(() => expect(find()).toBeDefined(), { timeout: 20_000, interval: 20 });
  const raw = find()?.raw.replaceAll(/=\r\n/g, '') ?? '';
  return /<html lang="(\w+)"/.exec(raw.replaceAll('=3D', '='))?.[1] ?? raw;
}

describe('a mail about a changed password', () => {
  test.each<[string, Changed]>([
    ['in German by the profile of its owner', { profile: { locale: 'de-AT' }, header: 'en' }],
    ['in German by the header of its owner', { header: 'de-CH, en;q=0.5' }],
    ['in German by the profile, when an administrator changed it', { profile: { locale: 'de' }, by: 'administrator' }],
  ])('is %s', async (_, changed) => {
    expect(await languageOf(changed)).toBe('de');
  });

  test.each<[string, Changed]>([
    ['without any wish', {}],
    ['when an administrator who wants German changed it', { header: 'de', by: 'administrator' }],
    ['when the profile says nonsense', { profile: { locale: { of: 'de' } } }],
  ])('is in English %s', async (_, changed) => {
    expect(await languageOf(changed)).toBe('en');
  });
});
