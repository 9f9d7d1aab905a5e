import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { Sql } from '#libs/platform/database';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newPerson, signInAdmin, uniqueName } from '../support/people.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

type Cause = { readonly locale?: unknown; readonly acceptLanguage: string; readonly by: 'owner' | 'admin' };

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

/** @returns the language of the mail about a changed password */
async function languageOf({ locale, acceptLanguage, by }: Cause): Promise<string | undefined> {
  const email = `${uniqueName()}@example.org`;
  const { id, password: currentPassword, token: theirs } = await newPerson(gatehouse, { profile: { locale } });
  // an address that is there already: one that is given now may have to be confirmed first
  const text = 'update users set email = $2, email_key = $2, email_verified = true where id = $1';
  await gatehouse.app.get(Sql).rows({ text }, [id, email]);
  const isOwner = by === 'owner';
  const token = isOwner ? theirs : (await signInAdmin(gatehouse)).token;
  const body = { password: 'eight tall chimneys', ...(isOwner && { currentPassword }) };
  const headers = { 'accept-language': acceptLanguage };
  const answer = await gatehouse.api.put(`/v1/users/${id}/password`, { token, body, headers });
  expect(answer.status, answer.text).toBe(isOwner ? 200 : 204);
  const mail = (): string | undefined => sink.received.find(({ to }) => to.includes(email))?.raw;
  await vi.waitFor(() => expect(mail()).toBeDefined(), { timeout: 20_000, interval: 20 });
  return /<html lang=3D"(\w+)">/.exec(mail() ?? '')?.[1];
}

test.each<[string, Cause, string]>([
  ['that their profile says', { locale: 'de-AT', acceptLanguage: 'en', by: 'owner' }, 'de'],
  ['that their profile says, whoever is the cause', { locale: 'de', acceptLanguage: 'en', by: 'admin' }, 'de'],
  ['of their own request, when the profile says none', { acceptLanguage: 'fr, de;q=0.5', by: 'owner' }, 'de'],
  ['of their own request, when the profile says nonsense', { locale: 7, acceptLanguage: 'de', by: 'owner' }, 'de'],
  ['of MAIL_LOCALE, and not in that of an administrator', { acceptLanguage: 'de', by: 'admin' }, 'en'],
])('people get mail in the language %s', async (_, cause, language) => {
  expect(await languageOf(cause)).toBe(language);
});
