import { expect, test } from 'vitest';

import type { ParsedToken } from './access-token.js';
import { TokenCache } from './token-cache.js';

const token = {} as ParsedToken;

test('it stays within its limit: the oldest makes room', () => {
  const cache = new TokenCache(3);
  for (const name of ['a', 'b', 'c', 'd']) cache.set(name, token);
  expect(['a', 'b', 'c', 'd'].map((name) => cache.get(name))).toEqual([undefined, token, token, token]);
});

test('a token that is there already takes the place of no other', () => {
  const cache = new TokenCache(2);
  for (const name of ['a', 'b', 'b', 'b']) cache.set(name, token);
  expect(cache.get('a')).toBe(token);
});

test('with a limit of 0 nothing is remembered', () => {
  const cache = new TokenCache(0);
  cache.set('a', token);
  expect(cache.get('a')).toBeUndefined();
});

test('a token is not found in the name that it is remembered by', () => {
  expect(TokenCache.nameOf('head.body.signature')).not.toMatch(/head|body|signature/);
});
