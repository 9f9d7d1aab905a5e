import { expect, test } from 'vitest';

import { toCsvRecord } from './bulk-export.service.js';

test('cells with commas, quotes and line breaks are quoted', () => {
  expect(toCsvRecord(['a', 'b,c', 'd"e', 'f\r\ng', ''], 'exact')).toBe('a,"b,c","d""e","f\r\ng",\r\n');
});

test.each(['=1+1', '+1', '-1', '@sum', '\tx'])(
  'the formula %j gets a quote before it only for spreadsheets',
  (cell) => {
    expect(toCsvRecord([cell], 'exact')).toBe(`${cell}\r\n`);
    expect(toCsvRecord([cell], 'spreadsheet')).toBe(`'${cell}\r\n`);
  },
);
