import { expect, test } from 'vitest';

import { countTrigrams, foldCase, hasTrigram, type IndexedLetters, rarePattern } from './trigrams.js';

const counts = countTrigrams(['maria.smith1@example.org', 'maria.jones2@example.org', 'mario.smith3@example.org']);
const patternOf = (text: string, letters: IndexedLetters = 'all') => rarePattern({ counts, letters }, text);

test('the rarest three runs of three characters are looked for, in their order', () => {
  expect(patternOf('maria')).toBe('%maria%');
  expect(patternOf('maria.jones2')).toBe('%jones%');
  expect(patternOf('ole.maria77')).toBe('%ole%ia77%');
});

test('they are looked for as the database has folded them', () => {
  expect(patternOf('MARIA')).toBe('%maria%');
  expect(patternOf('\u0130van')).toBe('%ivan%');
  expect(patternOf('ΓΚΆΛΗΣ')).toBe('%γκάλη%');
  expect(patternOf('a.b%c_d\\e f')).toBeUndefined();
});

test('where the index knows the letters of ASCII only, it is asked for no others', () => {
  expect(patternOf('иванов', 'ascii')).toBeUndefined();
  expect(patternOf('Иван ivan', 'ascii')).toBe('%ivan%');
  expect(hasTrigram('иванов', 'ascii')).toBe(false);
  expect(hasTrigram('IVA', 'ascii')).toBe(true);
});

test('letters of any alphabet count, whole', () => {
  expect(patternOf('иванов')).toBe('%ивано%');
  expect(patternOf('𠮷野家𠮷')).toBe('%𠮷野家𠮷%');
  expect(patternOf('e\u0301te\u0301')).toBe('%été%');
});

test.for<[one: string, other: string]>([
  ['Νίκος Γκάλης', 'ΝΊΚΟΣ ΓΚΆΛΗΣ'],
  ['Straße', 'STRASSE'],
  ['STRAẞE', 'straße'],
  ['İpek Işık', 'ipek ışık'],
  ['ışık', 'IŞIK'],
  ['ᾳ', 'ΑΙ'],
  ['\u0390', '\u03AA\u0301'],
  ['Ångström', 'A\u030ANGSTRO\u0308M'],
  ['ﬁn', 'FIN'],
  ['Նար եւ', 'ՆԱՐ և'],
  ['ꭰ', 'Ꭰ'],
])('%s and %s differ in case only', ([one, other]) => {
  expect(foldCase(one)).toBe(foldCase(other));
});

test.for<[one: string, other: string]>([
  ['é', 'e'],
  ['й', 'и'],
  ['ø', 'o'],
  ['a', 'а'],
])('%s and %s are two letters', ([one, other]) => {
  expect(foldCase(one)).not.toBe(foldCase(other));
});
