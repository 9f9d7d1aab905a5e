import { expect, test } from 'vitest';

import { backOffSeconds } from './back-off.js';

test.each([
  [1, 5],
  [2, 10],
  [5, 80],
  [11, 3_600],
  [60, 3_600],
])('after %i tries the next one comes within %i s, and not before half of it', (attempts, seconds) => {
  expect([backOffSeconds(attempts, 0, 0), backOffSeconds(attempts, 0, 1)]).toEqual([seconds / 2, seconds]);
});

test('what has been tried for a day is given up', () => {
  expect([backOffSeconds(3, 86_399_999, 0.5), backOffSeconds(3, 86_400_000, 0.5)]).toEqual([15, undefined]);
});
