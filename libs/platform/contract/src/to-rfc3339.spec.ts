import { expect, test } from 'vitest';

import { toRfc3339 } from './to-rfc3339.js';

const day = 86_400_000;
const edges = [
  0,
  1,
  -1,
  day - 1,
  day,
  -day,
  951_782_400_000,
  4_102_444_799_999,
  253_402_300_800_000,
  8.64e15,
  -8.64e15,
];

test.each(edges.flatMap((time) => [time, time]))('%d is written as Date writes it', (time) => {
  expect(toRfc3339(time)).toBe(new Date(time).toISOString());
});

test('any time of any year, whatever was written before it', () => {
  for (let at = 0; at < 20_000; at++) {
    const time = Math.floor((Math.random() - 0.5) * (at % 2 === 0 ? 2 * 8.64e15 : 2 * day));
    expect(toRfc3339(time)).toBe(new Date(time).toISOString());
  }
});

test('what is no time is refused', () => {
  expect(() => toRfc3339(Number.NaN)).toThrow(RangeError);
  expect(() => toRfc3339(8.64e15 + day)).toThrow(RangeError);
});
