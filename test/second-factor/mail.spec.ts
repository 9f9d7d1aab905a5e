import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { addTotp, newPersonWithTotp } from '../support/second-factors.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const patience = { timeout: 20_000, interval: 20 };

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

const subjectsTo = (address: string): string[] =>
  sink.received
    .filter(({ to }) => to.includes(address))
    .map(({ raw }) => /^Subject: (.*)$/m.exec(raw)?.[1] ?? '')
    .filter((subject) => subject !== 'Confirm your e-mail address');
const changed = 'Your second factor was changed';

test('whose second factor is added, renewed or taken away is told each time, without any code', async () => {
  const email = 'ada@example.org';
  const person = await newPersonWithTotp(gatehouse, { email });
  await vi.waitFor(() => expect(subjectsTo(email)).toEqual([changed]), patience);
  const renewed = await gatehouse.api.post('/v1/auth/second-factor/recovery-codes', { token: person.token });
  await vi.waitFor(() => expect(subjectsTo(email)).toEqual([changed, changed]), patience);
  const { token } = await signInAdmin(gatehouse);
  expect((await gatehouse.api.delete(`/v1/users/${person.id}/second-factor`, { token })).status).toBe(204);
  await vi.waitFor(() => expect(subjectsTo(email)).toEqual([changed, changed, changed]), patience);
  const sent = sink.received.map(({ raw }) => raw).join('\n');
  for (const secret of [person.secret, ...person.recoveryCodes, ...renewed.body.recoveryCodes]) {
    expect(sent).not.toContain(secret);
  }
});

test('it is in the language of the request, but not in that of an administrator’s', async () => {
  const email = 'zoe@example.org';
  const person = await newPerson(gatehouse, { email });
  await addTotp(gatehouse, person);
  await vi.waitFor(() => expect(subjectsTo(email)).toHaveLength(1), patience);
  const headers = { 'accept-language': 'de-AT' };
  await gatehouse.api.post('/v1/auth/second-factor/recovery-codes', { token: person.token, headers });
  await vi.waitFor(() => expect(subjectsTo(email)).toHaveLength(2), patience);
  const { token } = await signInAdmin(gatehouse);
  await gatehouse.api.delete(`/v1/users/${person.id}/second-factor`, { token, headers });
  await vi.waitFor(() => expect(subjectsTo(email)).toHaveLength(3), patience);
  // RFC 2047, for the umlaut
  expect(subjectsTo(email)).toEqual([changed, expect.stringMatching(/^=\?UTF-8\?Q\?Ihr_zweiter_Faktor/), changed]);
});

test('a request that is refused tells nobody', async () => {
  const email = 'eve@example.org';
  const person = await newPersonWithTotp(gatehouse, { email });
  await vi.waitFor(() => expect(subjectsTo(email)).toHaveLength(1), patience);
  const body = { code: '000000' };
  await gatehouse.api.post('/v1/auth/second-factor/totp', { token: person.token });
  await gatehouse.api.post('/v1/auth/second-factor/totp/confirm', { token: person.token, body });
  await newPersonWithTotp(gatehouse, { email: 'after@example.org' });
  await vi.waitFor(() => expect(subjectsTo('after@example.org')).toHaveLength(1), patience);
  expect(subjectsTo(email)).toHaveLength(1);
});
