import { SqlEntityManager } from '@mikro-orm/sql';
import { afterAll, beforeAll, expect, vi } from 'vitest';

import { newPerson, type Person, uniqueName } from './people.js';
import { type SmtpSink, startSmtpSink } from './smtp-sink.js';
import type { Gatehouse } from './start-gatehouse.js';

const patience = { timeout: 20_000, interval: 20 };

/** A mail as a person reads it. */
export type ReadMail = { readonly subject: string; readonly text: string };

export type Mailbox = {
  /** Settings of a service that sends here; pass it on as it is, the address is filled in later. */
  readonly environment: Readonly<Record<string, string>>;
  /** While it refuses, mail waits in the outbox. */
  readonly refuse: (isRefusing: boolean) => void;
  readonly of: (address: string) => readonly ReadMail[];
  /** Waits until an address has got so many mails. */
  readonly wait: (address: string, count?: number) => Promise<readonly ReadMail[]>;
};

/** A mail server for the tests of a file; call it before `useGatehouse`. */
export function useMailbox(): Mailbox {
  let sink: SmtpSink | undefined;
  const environment = { MAIL: 'smtp', MAIL_FROM: 'id@example.org', SMTP_URL: '' };
  beforeAll(async () => {
    sink = await startSmtpSink();
    environment.SMTP_URL = sink.url;
  });
  afterAll(() => sink?.stop());
  const of = (address: string): readonly ReadMail[] =>
    (sink?.received ?? []).filter(({ to }) => to.includes(address)).map(({ raw }) => read(raw));
  return {
    environment,
    refuse: (isRefusing) => {
      if (sink) sink.answer = isRefusing ? { code: 451, text: '4.3.0 not now' } : undefined;
    },
    of,
    wait: async (address, count = 1) => {
      await vi.waitFor(() => expect(of(address).length).toBeGreaterThanOrEqual(count), patience);
      return of(address);
    },
  };
}

/** Quoted-printable (RFC 2045 §6.7). */
function read(raw: string): ReadMail {
  const text = raw
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return { subject: /^Subject: (.*)$/m.exec(text)?.[1]?.trim() ?? '', text };
}

export const linkOf = ({ text }: ReadMail): string => /http\S+\/account\/\w+#[0-9a-f]+/.exec(text)?.[0] ?? '';
export const tokenOf = (mail: ReadMail): string => linkOf(mail).split('#')[1] ?? '';
export const codeOf = ({ text }: ReadMail): string => /: (\d{8})\s/.exec(text)?.[1] ?? '';

/** Waits until whatever was asked for has been handed over, or has led to nothing. */
export const nothingWaits = async (gatehouse: Gatehouse): Promise<void> =>
  vi.waitFor(async () => {
    expect(await execute(gatehouse, 'select kind from outbox where failed_at is null')).toEqual([]);
  }, patience);

export const execute = <Row = unknown>({ app }: Gatehouse, text: string, values: unknown[] = []): Promise<Row[]> =>
  app.get(SqlEntityManager).fork().execute<Row[]>(text, values);

/** Somebody new who holds an address, confirmed unless it is said otherwise. */
export async function newHolder(
  gatehouse: Gatehouse,
  { isVerified = true, ...fields }: { isVerified?: boolean } & Record<string, unknown> = {},
): Promise<Person & { readonly email: string }> {
  const person = await newPerson(gatehouse, fields);
  const email = `${uniqueName('mail')}@example.org`;
  const values = [email, email, isVerified, person.id];
  await execute(gatehouse, 'update users set email = ?, email_key = ?, email_verified = ? where id = ?', values);
  return { ...person, email };
}
