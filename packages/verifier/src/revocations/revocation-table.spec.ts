import { randomUUID } from 'node:crypto';

import { expect, test } from 'vitest';

import { RevocationTable } from './revocation-table.js';
import { fingerprintOf } from './token-fact.js';

const now = 1_800_000_000;

test('100,000 entries are found, 100,000 others are not', () => {
  const table = new RevocationTable();
  const ids = Array.from({ length: 100_000 }, () => randomUUID());
  for (const id of ids) table.add('token', id, { expiresAt: now + 60 }, now);
  expect(ids.every((id) => table.endedBelow(fingerprintOf('token', id), now) > 0)).toBe(true);
  expect(ids.some(() => table.endedBelow(fingerprintOf('token', randomUUID()), now) > 0)).toBe(false);
  expect(table.size).toBe(100_000);
});

test('an id means nothing under another kind', () => {
  const table = new RevocationTable();
  const id = randomUUID();
  table.add('session', id, { expiresAt: now + 60 }, now);
  expect([
    table.endedBelow(fingerprintOf('session', id), now) > 0,
    table.endedBelow(fingerprintOf('token', id), now) > 0,
  ]).toEqual([true, false]);
});

test('an entry means nothing from its expiry on', () => {
  const table = new RevocationTable();
  const id = randomUUID();
  table.add('token', id, { expiresAt: now + 60 }, now);
  expect([
    table.endedBelow(fingerprintOf('token', id), now + 59) > 0,
    table.endedBelow(fingerprintOf('token', id), now + 60) > 0,
  ]).toEqual([true, false]);
});

test('entries of a user in any order leave the highest generation', () => {
  const table = new RevocationTable();
  const id = randomUUID();
  for (const generation of [3, 7, 5]) table.add('user', id, { expiresAt: now + 60, generation }, now);
  expect(table.endedBelow(fingerprintOf('user', id), now)).toBe(7);
});

test('expired entries make room for new ones', () => {
  const table = new RevocationTable();
  for (let round = 0; round < 20; round++) {
    const later = now + round * 100;
    for (let index = 0; index < 600; index++) table.add('token', randomUUID(), { expiresAt: later + 60 }, later);
  }
  expect(table.size).toBeLessThan(2_000);
});
