import { expect, test } from 'vitest';

import { countTrigrams, rarePattern } from './trigrams.js';

const counts = countTrigrams(['maria.smith1@example.org', 'maria.jones2@example.org', 'mario.smith3@example.org']);

test('the rarest three runs of three characters are looked for, in their order', () => {
  expect(rarePattern('maria', counts)).toBe('%maria%');
  expect(rarePattern('maria.jones2', counts)).toBe('%jones%');
  expect(rarePattern('ole.maria77', counts)).toBe('%ole%ia77%');
});

test('what a database may spell in another way is left out', () => {
  expect(rarePattern('MARIA', counts)).toBeUndefined();
  expect(rarePattern('ZoE and Maria77', counts)).toBe('%and%a77%'.replace('a77', 'ia77'));
  expect(rarePattern('\u0130van', counts)).toBe('%van%');
  expect(rarePattern('a.b%c_d\\e f', counts)).toBeUndefined();
});

test('letters of any alphabet count, whole', () => {
  expect(rarePattern('иванов', counts)).toBe('%ивано%');
  expect(rarePattern('𠮷野家𠮷', counts)).toBe('%𠮷野家𠮷%');
  expect(rarePattern('e\u0301te\u0301', counts)).toBeUndefined();
});
