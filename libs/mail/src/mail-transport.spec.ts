import { expect, test } from 'vitest';

import { smtpOptions } from './mail-transport.js';

test.each([
  ['smtp://mail.example.org', { host: 'mail.example.org', port: 587, secure: false, requireTLS: true }],
  ['smtps://mail.example.org', { port: 465, secure: true, requireTLS: false }],
  ['smtp://mail.example.org:25?starttls=optional', { port: 25, requireTLS: false, ignoreTLS: false }],
  ['smtp://[::1]:1025?starttls=off', { host: '::1', port: 1025, requireTLS: false, ignoreTLS: true }],
  ['smtp://a%40b:p%2Fw@mail.example.org', { auth: { user: 'a@b', pass: 'p/w' } }],
])('%s', (url, expected) => {
  expect(smtpOptions(url)).toMatchObject(expected);
});
