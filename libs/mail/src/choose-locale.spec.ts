import { expect, test } from 'vitest';

import { chooseLocale } from './choose-locale.js';

test.each([
  ['the preset without any wish', {}, 'en', 'en'],
  ['the profile before the header', { locale: 'de-AT', acceptLanguage: 'en' }, 'en', 'de'],
  ['the header when the profile has another language', { locale: 'fr', acceptLanguage: 'de;q=0.5' }, 'en', 'de'],
  ['the header when the profile has no text', { locale: 7, acceptLanguage: 'de' }, 'en', 'de'],
  ['the heaviest language that there is', { acceptLanguage: 'fr, en;q=0.3, de-CH;q=0.8' }, 'en', 'de'],
  ['the first of equals', { acceptLanguage: 'de,en' }, 'en', 'de'],
  ['none that is refused', { acceptLanguage: 'de;q=0, en;q=0.1' }, 'de', 'en'],
  ['the preset when there is no such language', { acceptLanguage: 'fr, *;q=0.1' }, 'de', 'de'],
  ['the preset when the header is nonsense', { acceptLanguage: ';;;=,,q' }, 'de', 'de'],
] as const)('%s', (_, wishes, preset, locale) => {
  expect(chooseLocale(wishes, preset)).toBe(locale);
});
