import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import PostalMime from 'postal-mime';
import { afterAll, expect, test } from 'vitest';

import { MailTransport, smtpOptions } from './mail-transport.js';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
afterAll(() => rmSync(folder, { recursive: true }));

const longest = `https://${'a'.repeat(48)}.org/account/invitation#${'0f'.repeat(20)}`;

test.each([
  ['a link of 120 characters comes out whole', { text: `Dear Zoë,\n\nopen this:\n${longest}\n` }],
  ['what people chose begins no header', { subject: 'Hello\r\nBcc: all@example.org', to: 'ada@example.org' }],
  ['an address in Unicode is written as A-labels', { to: 'ada@bücher.example' }],
])('%s', async (_, given) => {
  const settings = { MAIL: 'file', MAIL_FROM: 'Zoë <id@example.org>', DATA_DIR: folder, SMTP_URL: undefined } as const;
  const plain = { id: 'a-1', to: 'ada@example.org', subject: 'Grüße', text: 'x', html: `<a href="${longest}">x</a>` };
  const letter = { ...plain, ...given };
  const file = await new MailTransport(settings).send(letter, AbortSignal.timeout(20_000));
  const source = readFileSync(file, 'utf8');
  const mail = await PostalMime.parse(source);
  expect(source.split('\r\n').every((line) => /^[\x20-\x7E\t]{0,998}$/.test(line))).toBe(true);
  expect(mail.messageId).toBe('<a-1@example.org>');
  expect(mail.headers.find(({ key }) => key === 'auto-submitted')?.value).toBe('auto-generated');
  expect(mail.headers.filter(({ key }) => key === 'bcc')).toEqual([]);
  expect(mail.from).toMatchObject({ name: 'Zoë', address: 'id@example.org' });
  expect(mail.to?.map(({ address }) => address)).toEqual([toAscii(letter.to)]);
  expect(mail.text).toContain(letter.text.trim());
  expect(mail.html).toContain(longest);
});

const toAscii = (address: string): string => address.replace('bücher', 'xn--bcher-kva');

test.each([
  ['smtp://mail.example.org', { host: 'mail.example.org', port: 587, secure: false, requireTLS: true }],
  ['smtps://mail.example.org', { port: 465, secure: true, requireTLS: false }],
  ['smtp://mail.example.org:25?starttls=optional', { port: 25, requireTLS: false, ignoreTLS: false }],
  ['smtp://[::1]:1025?starttls=off', { host: '::1', port: 1025, requireTLS: false, ignoreTLS: true }],
  ['smtp://a%40b:p%2Fw@mail.example.org', { auth: { user: 'a@b', pass: 'p/w' } }],
])('%s', (url, expected) => {
  expect(smtpOptions(url)).toMatchObject(expected);
});
