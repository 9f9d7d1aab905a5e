import { expect, test, vi } from 'vitest';

import { copyDatabase } from '../support/copy-database.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { runCli } from '../support/run-cli.js';
import { newService } from '../support/services.js';
import { startSmtpSink } from '../support/smtp-sink.js';
import { startGatehouse } from '../support/start-gatehouse.js';

test('an operator lets mail go to an address again that was undeliverable', async () => {
  const [sink, database] = [await startSmtpSink(), await copyDatabase()];
  const settings = { MAIL: 'smtp', SMTP_URL: sink.url, MAIL_FROM: 'id@example.org' };
  const gatehouse = await startGatehouse(settings, database);
  const mail = async (...parameters: string[]): Promise<string> => {
    const { out, err } = await runCli({ ...database.environment, ...settings }, 'mail', ...parameters);
    return out + err;
  };
  try {
    const { token } = await signInAdmin(gatehouse);
    const { headers } = await newService(gatehouse, { token, scopes: ['users:write'] });
    const events = [{ type: 'complained', email: 'ada@example.org' }];
    expect((await gatehouse.api.post('/v1/mail/events', { headers, body: { events } })).status).toBe(204);
    const { id } = await newPerson(gatehouse, { email: 'ada@example.org' });
    const body = { password: 'eight tall chimneys' };
    expect((await gatehouse.api.put(`/v1/users/${id}/password`, { token, body })).status).toBe(204);
    // the mail that asks to confirm the address, and the one about the password
    await vi.waitFor(
      async () => expect((await mail('list')).match(/ {2}failed {2}.*complained\n/g)).toHaveLength(2),
      60_000,
    );
    expect(await mail('deliverable', 'Ada@Example.org')).toBe('Mail is sent to this address again.\n');
    expect(await mail('deliverable', 'ada@example.org')).toContain('it was not marked');
    expect(await mail('retry')).toContain('2 will be tried again');
    await vi.waitFor(() => expect(sink.received).toHaveLength(2), { timeout: 20_000, interval: 20 });
  } finally {
    await gatehouse.stop();
    await database.drop();
    await sink.stop();
  }
}, 180_000);
