import { SqlEntityManager } from '@mikro-orm/sql';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { OutboxSender, OutboxService } from '#libs/platform/outbox';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

/** Less than the time after which a server that hangs is given up. */
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

/** Writes an entry as a cause does, in a transaction. */
const write = (kind: string, payload: unknown): Promise<string> =>
  gatehouse.app
    .get(SqlEntityManager)
    .fork()
    .transactional((em) => gatehouse.app.get(OutboxService).add(em, { kind, payload, userId: undefined }));

test('while the mail server hangs, entries of other kinds go through, also those that follow from them', async () => {
  sink.isHanging = true;
  const { id } = await newPerson(gatehouse, { email: 'ada@example.org' });
  const { token } = await signInAdmin(gatehouse);
  for (let change = 0; change < 9; change++) {
    const body = { password: `eight tall chimneys ${change}` };
    expect((await gatehouse.api.put(`/v1/users/${id}/password`, { token, body })).status).toBe(204);
  }
  await vi.waitFor(async () => {
    const mails = await gatehouse.app.get(OutboxService).list('mail', 20);
    expect(mails.filter(({ attempts }) => attempts === 1)).toHaveLength(8);
  }, patience);

  const handedOver: unknown[] = [];
  const sender = gatehouse.app.get(OutboxSender);
  sender.register('look-up', async (payload) => void (await write('follow-up', payload)));
  sender.register('follow-up', async (payload) => void handedOver.push(payload));
  await write('look-up', 'grace@example.org');
  await vi.waitFor(() => expect(handedOver).toEqual(['grace@example.org']), patience);
  expect(sink.received).toEqual([]);
});

test('when 100,000 entries wait, what strangers ask for is refused, and mail of a cause is not', async () => {
  const em = gatehouse.app.get(SqlEntityManager).fork();
  const fill = `insert into outbox (id, kind, payload)
    select gen_random_uuid(), 'of-another-release', '\\x00' from generate_series(1, 100000)`;
  await em.execute(fill);
  const outbox = gatehouse.app.get(OutboxService);
  const ask = (): Promise<string> =>
    em.fork().transactional((fork) => outbox.addIfRoom(fork, { kind: 'asked', payload: {}, userId: undefined }));
  await expect(ask()).rejects.toMatchObject({
    code: 'unavailable',
    status: 503,
    options: { headers: { 'retry-after': '30' } },
  });

  sink.isHanging = false;
  const { id } = await newPerson(gatehouse, { email: 'grace@example.org' });
  const { token } = await signInAdmin(gatehouse);
  const body = { password: 'eight tall chimneys' };
  expect((await gatehouse.api.put(`/v1/users/${id}/password`, { token, body })).status).toBe(204);

  await em.execute("delete from outbox where kind = 'of-another-release'");
  await vi.waitFor(ask, patience);
});
