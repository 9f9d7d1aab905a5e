import { expect, test } from 'vitest';

import { english } from './english.js';
import { german } from './german.js';
import { textsFor } from './page-texts.js';

const keysOf = (texts: object): string[] =>
  Object.entries(texts).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null ? keysOf(value).map((inner) => `${key}.${inner}`) : [key],
  );

test('both languages say the same things', () => {
  expect(keysOf(german)).toEqual(keysOf(english));
});

test.each([
  ['de-CH, en;q=0.5', 'de'],
  ['fr, en;q=0.5, de;q=0.4', 'en'],
  ['fr', 'en'],
  [undefined, 'en'],
])('for %s the page is %s', (acceptLanguage, locale) => {
  expect(textsFor(acceptLanguage).locale).toBe(locale);
});
