import { SqlEntityManager } from '@mikro-orm/sql';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { accept, invite, newAddress, newInvitation, tokenOf } from '../support/invitations.js';
import { signInAdmin } from '../support/people.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const patience = { timeout: 20_000, interval: 20 };

let sink: SmtpSink;
let own: OwnDatabase;
let gatehouse: Gatehouse;
let boss: string;

beforeAll(async () => {
  sink = await startSmtpSink();
  own = await copyDatabase();
  gatehouse = await startGatehouse({ MAIL: 'smtp', SMTP_URL: sink.url, MAIL_FROM: 'id@example.org' }, own);
  boss = (await signInAdmin(gatehouse)).token;
});
afterAll(async () => {
  await gatehouse?.stop();
  await own?.drop();
  await sink?.stop();
});

const isPostponed = ({ event }: Record<string, unknown>): boolean => event === 'postponed: an entry of the outbox';
const textTo = (address: string): string | undefined =>
  sink.received
    .find(({ to }) => to.includes(address))
    ?.raw.replaceAll('=\r\n', '')
    .replaceAll('=3D', '=');

describe('with mail on', () => {
  test('who is invited gets the link by mail, and when it ends', async () => {
    const email = newAddress();
    const { body } = await invite(gatehouse, boss, { email, firstName: 'Grace', lastName: 'Hopper' });
    await vi.waitFor(() => expect(textTo(email)).toBeDefined(), patience);
    const text = textTo(email) ?? '';
    expect(text).toContain('Subject: You are invited');
    expect(text).toContain(body.url);
    const day = new Date(body.expiresAt).toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
    expect(text).toContain(`good until ${day} at ${body.expiresAt.slice(11, 16)} UTC`);
    expect((await accept(gatehouse, tokenOf(body.url))).status).toBe(201);
  });

  test('the mail is in the language that the inviter asks for', async () => {
    const email = newAddress();
    await invite(gatehouse, boss, { email }, { 'accept-language': 'de-AT, en;q=0.5' });
    await vi.waitFor(() => expect(textTo(email)).toContain('Subject: Sie sind eingeladen'), patience);
  });

  test('an invitation that is refused sends nothing', async () => {
    const [refused, next] = [newAddress(), newAddress()];
    expect((await invite(gatehouse, boss, { email: refused, roles: ['nobodys-role'] })).status).toBe(400);
    await invite(gatehouse, boss, { email: next });
    await vi.waitFor(() => expect(textTo(next)).toBeDefined(), patience);
    expect(textTo(refused)).toBeUndefined();
  });

  test('an account that an invitation makes asks for no other proof of the address', async () => {
    const { email, token } = await newInvitation(gatehouse, boss);
    expect((await accept(gatehouse, token)).status).toBe(201);
    const after = newAddress();
    await invite(gatehouse, boss, { email: after });
    await vi.waitFor(() => expect([textTo(email), textTo(after)]).not.toContain(undefined), patience);
    expect(sink.received.filter(({ to }) => to.includes(email))).toHaveLength(1);
    const em = gatehouse.app.get(SqlEntityManager).fork();
    const waiting = await em.execute<{ kind: string }[]>('select kind from outbox');
    expect(waiting.filter(({ kind }) => kind !== 'mail')).toEqual([]);
  });

  test('neither the database nor the log holds a token, while a mail waits and after', async () => {
    sink.answer = { code: 451, text: '4.3.0 not now' };
    const [waiting, used] = [await newInvitation(gatehouse, boss), await newInvitation(gatehouse, boss)];
    const key = { 'idempotency-key': 'an-invitation' };
    const kept = tokenOf((await invite(gatehouse, boss, {}, key)).body.url);
    await accept(gatehouse, used.token);
    await accept(gatehouse, used.token);
    await vi.waitFor(() => expect(gatehouse.log.some(isPostponed)).toBe(true), patience);
    sink.answer = undefined;
    const dump = await dumpOf(gatehouse.app.get(SqlEntityManager));
    const log = JSON.stringify(gatehouse.log);
    expect([dump.includes('invitation-created'), log.includes('invitation-created')]).toEqual([true, true]);
    for (const token of [waiting.token, used.token, kept]) {
      for (const spelling of [token, Buffer.from(token).toString('hex'), Buffer.from(token).toString('base64')]) {
        expect([dump.includes(spelling), log.includes(spelling)]).toEqual([false, false]);
      }
    }
  });
});

/** Every row of every table as text; bytes are hexadecimal there. */
async function dumpOf(orm: SqlEntityManager): Promise<string> {
  const em = orm.fork();
  const tables = await em.execute<{ name: string }[]>(
    `select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
  );
  let dump = '';
  for (const { name } of tables) {
    const rows = await em.execute<{ row: string }[]>(`select t::text as row from ${name} t`);
    dump += rows.map(({ row }) => row).join('\n');
  }
  return dump;
}
