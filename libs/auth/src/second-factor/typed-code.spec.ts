import { expect, test } from 'vitest';

import { newRecoveryCodes, readTypedCode, toShownCode } from './typed-code.js';

test.each([
  ['123456', 'totp', '123456'],
  [' 123 456 ', 'totp', '123456'],
  ['12345', 'recovery-code', '12345'],
  ['1234567', 'recovery-code', '1234567'],
  ['ab3de-4h9kz', 'recovery-code', 'ab3de4h9kz'],
  ['AB3DE4H9KZ', 'recovery-code', 'ab3de4h9kz'],
  ['ab3de \u2013 4h9kz', 'recovery-code', 'ab3de4h9kz'],
  ['OIL00-11111', 'recovery-code', '0110011111'],
])('"%s" is read as %s %s', (text, kind, code) => {
  expect(readTypedCode(text)).toEqual({ kind, code });
});

test('ten recovery codes of ten letters are new each time, and are read as they are shown', () => {
  const [codes, others] = [newRecoveryCodes(), newRecoveryCodes()];
  expect(new Set([...codes, ...others]).size).toBe(20);
  for (const code of codes) {
    expect(toShownCode(code)).toMatch(/^[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}$/);
    expect(readTypedCode(toShownCode(code).toUpperCase())).toEqual({ kind: 'recovery-code', code });
  }
});
