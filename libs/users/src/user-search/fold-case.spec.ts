import { expect, test } from 'vitest';

import { foldCase } from './fold-case.js';

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
