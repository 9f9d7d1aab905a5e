import { expect, test } from 'vitest';

import { tokenInLink } from './link-tokens.js';

const token = 'aZ09-_aZ09-_aZ09-_aZ09-_aZ09-_aZ09-_aZ09-_a';

test.each([
  token,
  `/${token}`,
  `/#${token}`,
  `%23${token}`,
  `%2523${token}`,
  `%252523${token}`,
  `/%23${token}`,
  `%23${token}.`,
  `%23${token})`,
  `%23${token}%3E`,
  `%23${token}%3e%29.`,
  `%23%3C${token}%3E`,
  `%23${token}&utm_source=x`,
  `%23${token}?fbclid=${'a'.repeat(60)}`,
  `%23${token}%E0%A4%A`,
  `/${token}/`,
])('the token is found in %s', (rest) => {
  expect(tokenInLink(rest)).toBe(token);
});

test.each(['', '/', '/new/', `%23${token.slice(1)}`, `%23${token.slice(1)}.`, '&utm_source=x', '%23%E0%A4%A'])(
  'no token is found in %s',
  (rest) => {
    expect(tokenInLink(rest)).toBeUndefined();
  },
);
