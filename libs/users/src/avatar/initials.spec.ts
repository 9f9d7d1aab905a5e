import { expect, test } from 'vitest';

import { colourOf, contrastToWhite, initialsOf, initialsPicture } from './initials.js';

test.each([
  ['Ada', 'Lovelace', 'AL'],
  ['ada', 'lovelace', 'AL'],
  ['Élodie', 'Ångström', 'ÉÅ'],
  // decomposed: letter and mark are one character
  ['E\u0301lodie', 'A\u030Angstro\u0308m', 'E\u0301A\u030A'],
  ['ßeta', 'ǆoker', 'ßǄ'],
  ['明', '山田', '明山'],
  ['שרה', 'כהן', 'שכ'],
  ['किरण', 'शर्मा', 'किश'],
  ['👩‍👩‍👧‍👦 Smith', '🇩🇪', '👩‍👩‍👧‍👦🇩🇪'],
  ['«Ada»', '— Lovelace', 'AL'],
  ['\u200B\u202EAda', '', 'A'],
  ['...', '\u0301', '?'],
  ['', '', '?'],
  ['\uD83D', 'B', 'B'],
])('the initials of %j %j are %s', (first, last, initials) => {
  expect(initialsOf(first, last)).toBe(initials);
});

test('a hundred marks on one letter stay short', () => {
  expect(initialsOf(`A${'\u0301'.repeat(100)}`, '').length).toBeLessThanOrEqual(12);
});

test('white can be read on every colour, and the same user has the same one', () => {
  const ids = Array.from(
    { length: 100 },
    (_, at) => `0190a6d4-7f3a-7c8b-9d1e-2f3a4b${at.toString(16).padStart(6, '0')}`,
  );
  for (const id of ids) {
    const parts = [1, 3, 5].map((start) => Number.parseInt(colourOf(id).slice(start, start + 2), 16));
    const [red = 0, green = 0, blue = 0] = parts;
    expect(contrastToWhite([red, green, blue])).toBeGreaterThanOrEqual(4.5);
    expect(colourOf(id)).toBe(colourOf(id));
  }
  expect(new Set(ids.map(colourOf)).size).toBeGreaterThan(20);
});

test('names cannot become markup', () => {
  const id = '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e';
  const svg = initialsPicture({ id, firstName: '<script>', lastName: '$&"' }, 64);
  expect(svg.match(/<(\w+)/g)).toEqual(['<svg', '<rect', '<text']);
  expect(svg).toContain('&lt;$');
});
