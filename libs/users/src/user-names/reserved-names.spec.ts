import { expect, test } from 'vitest';

import { prepareUserName } from './prepare-user-name.js';
import { isReservedName } from './reserved-names.js';

function isReserved(name: string): boolean {
  const prepared = prepareUserName(name);
  if (typeof prepared === 'string') throw new Error(`${name} is no user name: ${prepared}`);
  return isReservedName(prepared.key);
}

test.each([
  ['as it is written', 'admin'],
  ['in capitals', 'ROOT'],
  ['of the routes', 'me'],
  ['Cyrillic', 'аԁміп'],
  ['Cyrillic capitals', 'ЅҮЅТЕМ'],
  ['Greek capitals', 'ΜΕ'],
  ['Lisu', 'ꓮꓓꓟꓲꓠ'],
  ['Cherokee', 'ꭱꮎꮎꭲ'],
  ['wide letters', 'ｓｙｓｔｅｍ'],
  ['small capitals', 'ᴀᴅᴍɪɴ'],
  ['a script g', 'ɡatehouse'],
  ['an i without a dot', 'admın'],
  ['an I with a dot', 'ADMİN'],
  ['zero for o', '0perator'],
  ['one for i', 'adm1n'],
  ['l for I', 'AdmlN'],
  ['one for l', 'nu11'],
  ['I for l', 'nuIl'],
  ['digits and signs for letters', '5y$t3m'],
  ['rn for m', 'adrnin'],
  ['cl for d', 'aclmin'],
  ['accents', 'ádmïn'],
  ['strokes', 'røøt'],
  ['marks below', 'ạḍṃịṇ'],
  ['signs around', '_admin_'],
  ['signs between', 'no-reply'],
  ['two words', 'gatehouse-support'],
  ['two words in one', 'systemadministrator'],
])('%s: %s is reserved', (_what, name) => {
  expect(isReserved(name)).toBe(true);
});

test.each([
  'ada',
  'meme',
  'mel',
  'administratrix',
  'badminton',
  'rooty',
  'служба',
  'Мария',
  'Ελένη',
  'user7',
  'admin-of-berlin',
  'servicemann',
  '___',
  '山田',
  'علي',
])('%s is not', (name) => {
  expect(isReserved(name)).toBe(false);
});
