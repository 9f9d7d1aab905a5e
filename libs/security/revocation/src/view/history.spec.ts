import { expect, test } from 'vitest';

import { type History, readFrom } from './history.js';

const known: History = { horizon: 5_000n, tableId: '16384:16400', cluster: '7312:00000001' };

test('a reconnection to the same database reads from where the view ends', () => {
  expect(readFrom(known, { ...known, horizon: 6_000n })).toBe(5_000n);
});

test.for<[string, Partial<History>]>([
  ['another cluster', { cluster: '9999:00000001' }],
  ['another timeline: a failover, or a recovery to a point in time', { cluster: '7312:00000002' }],
  ['another database or table: a restore', { tableId: '16999:17000' }],
  ['a horizon that went back', { horizon: 4_999n }],
  ['a server that does not say what it is', { cluster: undefined }],
])('%s is read from the start', ([, change]) => {
  expect(readFrom(known, { ...known, horizon: 6_000n, ...change })).toBe(0n);
});

test('the first view is read from the start', () => {
  expect(readFrom(undefined, known)).toBe(0n);
});

test('two servers that do not say what they are may differ', () => {
  expect(readFrom({ ...known, cluster: undefined }, { ...known, cluster: undefined })).toBe(0n);
});
