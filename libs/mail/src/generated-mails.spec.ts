import { resolve } from 'node:path';

import { describe, expect, test } from 'vitest';

import { locales, type MailKind, mailKinds, mailVariables } from './mail.js';
import { renderMail } from './mail-text.js';
import { MailTexts } from './mail-texts.js';

const folder = resolve(import.meta.dirname, '../../../test/mail/golden');
const texts = new MailTexts(undefined);
const token = '0123456789abcdef0123456789abcdef01234567';
const pages: Partial<Record<MailKind, string>> = { reset: 'reset', invitation: 'invitation' };
const samples = {
  firstName: 'Zoë',
  code: '04193827',
  time: '2026-11-28T22:01:33.120Z',
  expires: '2026-12-05T22:01:33.120Z',
  ip: '2001:db8::7',
  device: 'Firefox on Linux',
};

describe.each(mailKinds.flatMap((kind) => locales.map((locale) => [kind, locale] as const)))(
  '%s in %s',
  (kind, locale) => {
    const link = `https://id.example.org/account/${pages[kind] ?? 'verify'}#${token}`;
    const variables = { ...samples, link, service: 'https://id.example.org' };
    const { subject, text, html } = renderMail(texts.find(kind, locale), variables, locale);

    test('reads as it was approved', async () => {
      await expect(`Subject: ${subject}\n\n${text}`).toMatchFileSnapshot(`${folder}/${kind}.${locale}.txt`);
      await expect(html).toMatchFileSnapshot(`${folder}/${kind}.${locale}.html`);
    });

    test('says all that it is given', () => {
      const { locale: _, ...given } = { locale, ...samples, link };
      const shown = mailVariables[kind].filter((name) => name !== 'time' && name !== 'expires');
      for (const name of shown) expect(text).toContain(Object.entries(given).find(([known]) => known === name)?.[1]);
      if (kind !== 'test') expect(text).toContain('https://id.example.org');
    });

    test('loads nothing, and stays below 100 kB', () => {
      expect(html).not.toMatch(/<(?:img|link|script|iframe|object)|url\(|@import/i);
      expect(Buffer.byteLength(html)).toBeLessThan(102_400);
    });
  },
);
