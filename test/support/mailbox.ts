import { SqlEntityManager } from '@mikro-orm/sql';
import { expect, vi } from 'vitest';

import { type Received, startSmtpSink } from './smtp-sink.js';
import type { Gatehouse } from './start-gatehouse.js';

/** A mail with what people take from it. */
export type Mail = {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly link: string;
  readonly token: string;
  readonly code: string;
};

/** Where the mail of a service arrives. */
export type Mailbox = {
  /** Settings with which a service sends its mail here. */
  readonly environment: Readonly<Record<string, string>>;
  /** All mail to an address, the oldest first, once there are so many. */
  readonly wait: (to: string, count?: number) => Promise<readonly Mail[]>;
  /** As `wait`, the last one. */
  readonly last: (to: string, count?: number) => Promise<Mail>;
  /** All mail to an address, once nothing waits in the outbox. */
  readonly all: (gatehouse: Gatehouse, to: string) => Promise<readonly Mail[]>;
  readonly stop: () => Promise<void>;
};

const patience = { timeout: 20_000, interval: 20 };

export async function openMailbox(): Promise<Mailbox> {
  const sink = await startSmtpSink();
  const mailTo = (to: string): readonly Mail[] =>
    sink.received.filter((mail) => mail.to.includes(to)).map((mail) => open(mail, to));
  const wait = async (to: string, count = 1): Promise<readonly Mail[]> => {
    await vi.waitFor(() => expect(mailTo(to), to).toHaveLength(count), patience);
    return mailTo(to);
  };
  return {
    environment: { MAIL: 'smtp', SMTP_URL: sink.url, MAIL_FROM: 'Example <id@example.org>' },
    wait,
    last: async (to, count = 1) => (await wait(to, count))[count - 1] as Mail,
    all: async (gatehouse, to) => {
      await vi.waitFor(async () => expect(await countWaiting(gatehouse)).toBe(0), patience);
      return mailTo(to);
    },
    stop: sink.stop,
  };
}

async function countWaiting({ app }: Gatehouse): Promise<number> {
  const em = app.get(SqlEntityManager).fork();
  const rows = await em.execute<{ count: number }[]>(
    'select count(*)::int as count from outbox where failed_at is null',
  );
  return rows[0]?.count ?? 0;
}

function open({ raw }: Received, to: string): Mail {
  // an id of the head may look like a code
  const text = raw
    .slice(raw.indexOf('\r\n\r\n'))
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 16)));
  const link = /https?:\/\/\S+#[\w-]+/.exec(text)?.[0] ?? '';
  return {
    to,
    subject: /^Subject: (.*)$/m.exec(raw)?.[1]?.trim() ?? '',
    text,
    link,
    token: link.split('#')[1] ?? '',
    code: /\b\d{8}\b/.exec(text)?.[0] ?? '',
  };
}
