import { describe, expect, test } from 'vitest';
import { isSingleScript } from './single-script.js';
import { prepareUserName } from './prepare-user-name.js';

function keyOf(input: string): string {
  const prepared = prepareUserName(input);
  return typeof prepared === 'string' ? `refused: ${prepared}` : prepared.key;
}

describe('examples of RFC 8265 section 3.5', () => {
  test.each([
    { input: 'fussball', key: 'fussball' },
    { input: 'fu\u00DFball', key: 'fu\u00DFball' },
    { input: '\u03C0', key: '\u03C0' },
    { input: '\u03A3', key: '\u03C3' },
    { input: '\u03C3', key: '\u03C3' },
    { input: '\u03C2', key: '\u03C2' },
  ])('$input is legal and its key is $key', ({ input, key }) => {
    expect(prepareUserName(input)).toEqual({ userName: input, key });
  });

  test.each([
    { input: 'foo bar', why: 'a space', fault: 'disallowed-character' },
    { input: '', why: 'no character at all', fault: 'empty' },
    { input: 'henry\u2163', why: 'ROMAN NUMERAL FOUR', fault: 'disallowed-character' },
    { input: '\u265A', why: 'BLACK CHESS KING', fault: 'disallowed-character' },
  ])('"$input" is illegal: it has $why', ({ input, fault }) => {
    expect(prepareUserName(input)).toBe(fault);
  });

  test.each(['juliet@example.com', '@', 'juliet\uFF20example.com', 'юлия@example.com'])(
    '%s is refused, although the RFC allows @: a user name must not look like an e-mail address',
    (input) => {
      expect(prepareUserName(input)).toBe('disallowed-character');
    },
  );
});

describe('what makes a name unique', () => {
  test.each([
    { what: 'upper case', input: 'Ada', key: 'ada' },
    { what: 'fullwidth letters', input: 'ＡＤＡ', key: 'ada' },
    { what: 'halfwidth katakana', input: 'ｶﾞﾝﾀﾞﾑ', key: 'ガンダム' },
    { what: 'composed marks', input: 'Zo\u00EB', key: 'zo\u00EB' },
    { what: 'decomposed marks', input: 'Zoe\u0308', key: 'zo\u00EB' },
    { what: 'decomposed Hangul', input: '한국'.normalize('NFD'), key: '한국' },
    { what: 'the Kelvin sign', input: '\u212Aelvin', key: 'kelvin' },
    { what: 'the angstrom sign', input: '\u212Bngstrom', key: 'ångstrom' },
    { what: 'capital sharp s', input: 'STRA\u1E9EE', key: 'straße' },
    { what: 'double s, which is not sharp s', input: 'STRASSE', key: 'strasse' },
    { what: 'capital sigma at the end', input: 'ΟΔΥΣΣΕΥΣ', key: 'οδυσσευς' },
    { what: 'capital I with dot', input: '\u0130zmir', key: 'i\u0307zmir' },
    { what: 'dotless i, which is not i', input: '\u0131zmir', key: '\u0131zmir' },
    { what: 'Cherokee', input: 'ᏣᎳᎩ', key: 'ꮳꮃꭹ' },
  ])('$what: $input has the key $key', ({ input, key }) => {
    expect(keyOf(input)).toBe(key);
  });

  test('the stored name keeps its case and gets its width and NFC', () => {
    expect(prepareUserName('ＡdaE\u0301')).toEqual({ userName: 'Ada\u00C9', key: 'ada\u00E9' });
  });
});

describe('characters', () => {
  test.each([
    ['white space before', ' ada'],
    ['white space after', 'ada\n'],
    ['an ideographic space', '山\u3000田'],
    ['a no-break space', 'ada\u00A0l'],
    ['an emoji', 'ada😀'],
    ['an emoji family with ZWJ', '👩\u200D👧'],
    ['a flag', '🇦🇶'],
    ['a ligature', '\uFB01sh'],
    ['a superscript', 'x²'],
    ['a mathematical letter', '𝒶da'],
    ['old Hangul jamo', '\u1113\u1161'],
    ['halfwidth Hangul jamo, which must not compose', '\uFFA1\uFFC2'],
    ['a Hangul filler', 'ada\u3164'],
    ['an Arabic tatweel', 'محمـد'],
    ['a bidi override', 'ada\u202Enimda'],
    ['a bidi isolate', 'ada\u2066'],
    ['a soft hyphen', 'ad\u00ADa'],
    ['a zero width space', 'ad\u200Ba'],
    ['a byte order mark', '\uFEFFada'],
    ['a variation selector', 'ada\uFE0F'],
    ['a tag character', 'ada\u{E0061}'],
    ['a private use character', 'ada\uE000'],
    ['a noncharacter', 'ada\uFFFF'],
    ['an unassigned character', 'ada\u0378'],
    ['a control character', 'ada\x7F'],
    ['a title case letter', 'ᾈ'],
  ])('%s is refused', (_what, input) => {
    expect(prepareUserName(input)).toBe('disallowed-character');
  });

  test.each(['ada\0', 'ada\uD800', '\uDC00ada', '\uDE00\uD83D'])('%j is no text at all', (input) => {
    expect(prepareUserName(input)).toBe('bad-unicode');
  });
});

describe('context rules of RFC 5892 appendix A', () => {
  test.each([
    ['A.1 ZWNJ after a virama', 'क्\u200Cष'],
    ['A.1 ZWNJ between joining letters', 'نامه\u200Cای'],
    ['A.1 ZWNJ between joining letters with marks', 'بَ\u200C\u064Eب'],
    ['A.2 ZWJ after a virama', 'क्\u200Dष'],
    ['A.3 middle dot between l and l', 'col·lega'],
    ['A.4 keraia before a Greek letter', '\u0375α'],
    ['A.5 geresh after a Hebrew letter', 'צ\u05F3'],
    ['A.6 gershayim after a Hebrew letter', 'צה\u05F4ל'],
    ['A.7 middle dot with katakana', 'レオ・マ'],
    ['A.8 Arabic-Indic digits', 'علي\u0661\u0662'],
    ['A.9 extended Arabic-Indic digits', 'علی\u06F1\u06F2'],
  ])('%s is accepted', (_rule, input) => {
    expect(keyOf(input)).toBe(input.normalize('NFC'));
  });

  test.each([
    ['A.1 ZWNJ between Latin letters', 'ad\u200Cmin'],
    ['A.1 ZWNJ after a letter that does not join to the next', 'دا\u200Cب'],
    ['A.1 ZWNJ at the end', 'ب\u200C'],
    ['A.2 ZWJ between Latin letters', 'ad\u200Dmin'],
    ['A.2 ZWJ between Arabic letters', 'ب\u200Dب'],
    ['A.2 ZWJ after ZWJ', 'क्\u200D\u200Dष'],
    ['A.3 middle dot after another letter', 'a·lega'],
    ['A.3 middle dot at the end', 'col·'],
    ['A.4 keraia before a Latin letter', '\u0375a'],
    ['A.5 geresh at the start', '\u05F3צ'],
    ['A.6 gershayim after a Latin letter', 'a\u05F4'],
    ['A.7 middle dot without Japanese letters', 'a・b'],
    ['A.8 and A.9 both kinds of digits', 'علي\u0661\u06F2'],
  ])('%s is refused', (_rule, input) => {
    expect(prepareUserName(input)).toBe('disallowed-character');
  });
});

describe('the Bidi Rule of RFC 5893', () => {
  test.each([
    ['Dhivehi that ends in a mark (section 4.1)', '\u0786\u07AE\u0782\u07B0\u0795\u07A9\u0793\u07A6\u0783\u07AA'],
    ['Yiddish that ends in a mark (section 4.2)', '\u05D9\u05D9\u05B4\u05D5\u05D5\u05D0\u05B8'],
    ['Hebrew with digits at the end', 'אבג123'],
    ['Hebrew with a hyphen inside', 'אב-ג'],
    ['Arabic with Arabic digits', 'محمد\u0663'],
  ])('%s is accepted', (_what, input) => {
    expect(keyOf(input)).toBe(input);
  });

  test.each([
    ['condition 1: a digit first (section 4.3)', '1אבג'],
    ['condition 1: a mark first', '\u05B4אב'],
    ['condition 2: Latin amid Hebrew', 'אבcד'],
    ['condition 3: punctuation last', 'אבג-'],
    ['condition 4: European and Arabic digits', 'محمد1\u0663'],
    ['condition 5: Hebrew after Latin', 'abג'],
    ['condition 5: an Arabic digit after Latin', 'ab\u0663'],
  ])('%s is refused', (_what, input) => {
    expect(prepareUserName(input)).toBe('mixed-direction');
  });
});

describe('single script', () => {
  test.each([
    'Дмитрий_7',
    'Ελένη',
    '山田たろうカナ',
    '時々',
    '二〇〇七',
    'ラーメン',
    '홍길동',
    '金한글',
    '注音ㄓㄨ',
    'สมชาย',
    'देवी१२',
    'Þóra-Ýr',
    'Nguyễn',
    'ԱՆԻ',
  ])('%s is one script', (input) => {
    expect(prepareUserName(input)).toMatchObject({ userName: input });
  });

  test.each([
    ['Cyrillic а in Latin', '\u0430nn'],
    ['Greek ο in Latin', 'b\u03BFb'],
    ['Cyrillic о in Greek', 'Ν\u043Eν'],
    ['Latin in Cyrillic', 'Дмитpий'],
    ['Han and Latin', '山田taro'],
    ['Hangul and hiragana', '한글の'],
    ['Bopomofo and katakana', 'ㄅカ'],
    ['Devanagari digits in Latin', 'ada१'],
  ])('%s is refused', (_what, input) => {
    expect(prepareUserName(input)).toBe('mixed-scripts');
  });

  test('every letter, mark and digit that this Unicode version knows has a script in the list', () => {
    const unknown: string[] = [];
    for (let codePoint = 0; codePoint <= 0x3ffff; codePoint += 1) {
      const character = String.fromCodePoint(codePoint);
      if (/[\p{L}\p{M}\p{N}]/v.test(character) && !isSingleScript(character)) unknown.push(character);
    }
    expect(unknown).toEqual([]);
  });
});

describe('length', () => {
  test.each(['x'.repeat(64), 'é'.repeat(64), 'é'.normalize('NFD').repeat(64), '\u{10400}'.repeat(64)])(
    '64 code points are accepted: %s',
    (input) => {
      expect(prepareUserName(input)).toMatchObject({ userName: input.normalize('NFC') });
    },
  );

  test.each(['x'.repeat(65), 'é'.repeat(65), '\u0130'.repeat(33), '\0'.repeat(257), 'é'.repeat(1_000_000)])(
    'more are refused, in the name or in its key',
    (input) => {
      expect(prepareUserName(input)).toBe('too-long');
    },
  );
});

test('an accepted name and its key prepare to themselves, and so does every canonical equivalent', () => {
  const blocks = [0x20, 0x41, 0xc0, 0x100, 0x300, 0x386, 0x400, 0x5d0, 0x620, 0x900, 0x1e00, 0x1f00, 0x3041, 0x30a1];
  const random = randomFrom(8265);
  const below = (limit: number): number => Math.floor(random() * limit);
  let accepted = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const block = round % 4 === 0 ? below(0x110000) : (blocks[below(blocks.length)] ?? 0);
    const codePoints = Array.from({ length: 1 + below(6) }, () => [block, 0xff21, 0x300][below(9)] ?? block);
    const input = String.fromCodePoint(...codePoints.map((start) => Math.min(start + below(48), 0x10ffff)));
    const prepared = prepareUserName(input);
    if (typeof prepared === 'string') continue;
    accepted += 1;
    expect(prepareUserName(prepared.userName)).toEqual(prepared);
    expect(prepareUserName(prepared.userName.normalize('NFD'))).toEqual(prepared);
    expect(prepareUserName(prepared.key)).toEqual({ userName: prepared.key, key: prepared.key });
  }
  expect(accepted).toBeGreaterThan(3000);
});

/** mulberry32: the same numbers for the same seed, so that a failure repeats. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
