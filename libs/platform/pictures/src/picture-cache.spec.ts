import { expect, test } from 'vitest';

import { PictureCache } from './picture-cache.js';

const kilobyte = Buffer.alloc(1_000);

test('what was asked for longest ago goes first, so that the bytes stay bounded', () => {
  // three of 1,000 bytes and 300 beside
  const cache = new PictureCache({ bytes: 4_000, maxAgeMs: 1_000 });
  for (const key of ['a', 'b', 'c']) cache.set(key, kilobyte, 0);
  cache.get('a', 1);
  cache.set('d', kilobyte, 2);
  expect(['a', 'b', 'c', 'd'].filter((key) => cache.get(key, 3))).toEqual(['a', 'c', 'd']);
});

test('what is larger than all of it is not kept, and drives nothing out', () => {
  const cache = new PictureCache({ bytes: 2_000, maxAgeMs: 1_000 });
  cache.set('a', kilobyte, 0);
  cache.set('b', Buffer.alloc(5_000), 0);
  expect([cache.get('a', 1), cache.get('b', 1)]).toEqual([kilobyte, undefined]);
});

test('what is too old is asked for again, however often it was asked for', () => {
  const cache = new PictureCache({ bytes: 4_000, maxAgeMs: 1_000 });
  cache.set('a', kilobyte, 0);
  expect([cache.get('a', 999), cache.get('a', 1_000), cache.get('a', 1_001)]).toEqual([kilobyte, undefined, undefined]);
});

test('bytes that have gone make room', () => {
  const cache = new PictureCache({ bytes: 2_700, maxAgeMs: 1_000 });
  for (let round = 0; round < 10; round++) cache.set('a', kilobyte, round);
  cache.set('b', kilobyte, 10);
  expect([cache.get('a', 11), cache.get('b', 11)]).toEqual([kilobyte, kilobyte]);
});
