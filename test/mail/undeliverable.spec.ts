import { SqlEntityManager } from '@mikro-orm/sql';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

import { Sweeper } from '#libs/platform/database';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const patience = { timeout: 20_000, interval: 20 };

let sink: SmtpSink;
let own: OwnDatabase;
let gatehouse: Gatehouse;
let admin: { readonly token: string };
let service: Service;

beforeAll(async () => {
  sink = await startSmtpSink();
  own = await copyDatabase();
  gatehouse = await startGatehouse({ MAIL: 'smtp', SMTP_URL: sink.url, MAIL_FROM: 'id@example.org' }, own);
  admin = await signInAdmin(gatehouse);
  service = await newService(gatehouse, { token: admin.token, scopes: ['users:write'] });
});
afterEach(() => {
  sink.answer = undefined;
});
afterAll(async () => {
  await gatehouse?.stop();
  await own?.drop();
  await sink?.stop();
});

/** One mail to the person is in the outbox afterwards. */
async function tell({ id }: Person): Promise<void> {
  const body = { password: 'eight tall chimneys' };
  expect((await gatehouse.api.put(`/v1/users/${id}/password`, { token: admin.token, body })).status).toBe(204);
}

const report = (...events: readonly object[]): Promise<{ readonly status: number; readonly text: string }> =>
  gatehouse.api.post('/v1/mail/events', { headers: service.headers, body: { events } });

async function reported(...events: readonly object[]): Promise<void> {
  const answer = await report(...events);
  expect(answer.status, answer.text).toBe(204);
}

/** Beside the mail by which a new address is confirmed. */
const arrived = (address: string): number =>
  sink.received.filter(({ to, raw }) => to.includes(address) && raw.includes('Your password was changed')).length;
const givenUp = (): readonly string[] =>
  gatehouse.log.filter(({ event }) => String(event).startsWith('given up')).map(({ reason }) => String(reason));

/** What an administrator sees in the trail. */
async function trail(): Promise<readonly { readonly userId: string | null; readonly details: object }[]> {
  const { body } = await gatehouse.api.get('/v1/audit?event=address-undeliverable', { token: admin.token });
  return body.items;
}

test('after a refusal for good no server is asked again, whatever the case of the address', async () => {
  const person = await newPerson(gatehouse, { email: 'ada@example.org' });
  await vi.waitFor(() => expect(sink.received.some(({ to }) => to.includes('ada@example.org'))).toBe(true), patience);
  sink.answer = { code: 550, text: '5.1.1 no such mailbox' };
  await tell(person);
  await vi.waitFor(() => expect(givenUp().at(-1)).toContain('550'), patience);
  sink.answer = undefined;
  const body = { email: 'ADA@example.org' };
  const changed = await gatehouse.api.patch(`/v1/users/${person.id}`, { token: admin.token, body });
  expect(changed.status, changed.text).toBe(200);
  await tell(person);
  await vi.waitFor(() => expect(givenUp().at(-1)).toMatch(/^undeliverable since 20.*550 5\.1\.1/), patience);
  expect([arrived('ada@example.org'), arrived('ADA@example.org')]).toEqual([0, 0]);
  expect((await trail())[0]).toMatchObject({ userId: person.id, details: { cause: 'refused' } });
  expect(JSON.stringify(await trail())).not.toMatch(/ada@/i);
});

test('a mark ends after 30 days, and its row goes', async () => {
  const person = await newPerson(gatehouse, { email: 'old@example.org' });
  await reported({ type: 'complained', email: 'old@example.org' });
  const em = gatehouse.app.get(SqlEntityManager).fork();
  await em.execute("update undeliverable_addresses set created_at = now() - interval '30 days 1 second'");
  await tell(person);
  await vi.waitFor(() => expect(arrived('old@example.org')).toBe(1), patience);
  await gatehouse.app.get(Sweeper).sweepNow();
  expect(await em.execute('select from undeliverable_addresses')).toEqual([]);
});

describe('a mail service', () => {
  test.each([
    ['a permanent bounce', 'bounced@example.org', { type: 'bounced', permanent: true, reason: '5.1.1 gone' }],
    ['a complaint', 'complained@example.org', { type: 'complained' }],
  ])('stops mail to an address by %s, and lets it go on by a delivery', async (_, email, event) => {
    const person = await newPerson(gatehouse, { email });
    await reported({ ...event, email: email.toUpperCase(), messageId: `<${person.id}@example.org>` });
    expect((await trail())[0]).toMatchObject({ userId: null, details: { cause: event.type, mailId: person.id } });
    await tell(person);
    await vi.waitFor(() => expect(givenUp().at(-1)).toContain(event.type), patience);
    await reported({ type: 'delivered', email });
    await tell(person);
    await vi.waitFor(() => expect(arrived(email)).toBe(1), patience);
  });

  test('changes nothing by a bounce that may pass, and of several events the last counts', async () => {
    const person = await newPerson(gatehouse, { email: 'full@example.org' });
    const bounce = { type: 'bounced', email: 'full@example.org' };
    await reported({ ...bounce, permanent: true }, { type: 'delivered', email: 'Full@example.org' }, bounce);
    await tell(person);
    await vi.waitFor(() => expect(arrived('full@example.org')).toBe(1), patience);
  });

  test('gets the same answer for an address that nobody has', async () => {
    await reported({ type: 'complained', email: 'nobody-at-all@example.org' });
  });

  test('reports at most 100 events, and at least one', async () => {
    const event = { type: 'delivered', email: 'ada@example.org', reason: 'r'.repeat(500), messageId: 'm'.repeat(255) };
    expect((await report()).status).toBe(400);
    expect((await report(...Array.from({ length: 100 }, () => event))).status).toBe(204);
    expect((await report(...Array.from({ length: 101 }, () => event))).status).toBe(400);
  });

  test('needs the scope users:write, and people may not report', async () => {
    const reader = await newService(gatehouse, { token: admin.token, scopes: ['users:read'] });
    const body = { events: [{ type: 'delivered', email: 'ada@example.org' }] };
    expect((await gatehouse.api.post('/v1/mail/events', { headers: reader.headers, body })).status).toBe(403);
    expect((await gatehouse.api.post('/v1/mail/events', { token: admin.token, body })).status).toBe(403);
    expect((await gatehouse.api.post('/v1/mail/events', { body })).status).toBe(401);
  });
});
