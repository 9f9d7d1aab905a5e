import { describe, expect, test } from 'vitest';
import { CommonPasswords } from './common-passwords.js';
import { judgePassword, normalisePassword, type PasswordFault } from './password-policy.js';
import type { PersonalWords } from './personal-words.js';

const rules = { minLength: 8, maxLength: 128, common: CommonPasswords.load() };
const nobody: PersonalWords = {};
const jane: PersonalWords = {
  userName: 'jdoe1985',
  firstName: 'Jane',
  lastName: 'Müller-Doe',
  email: 'jane.doe@mail.acme.test',
};
const family = '👨‍👩‍👧‍👦';
const diceware = 'cleft cam synod lacy yr wok';

function judge(password: string, personal = nobody): readonly PasswordFault[] {
  return judgePassword(password, personal, rules);
}

describe('an ordinary good password is accepted', () => {
  test.each([
    'correct horse battery staple',
    diceware,
    'orbit-velvet-thimble-42',
    'Xk9#vLq2!mZp',
    'gT7$wq-0Lz',
    'tr0ub4dor&3x',
    'My cat weighs 7 kilos',
    '    lead and trail    ',
    'vier Äpfel für Öde',
    'пароль для почты дома',
    'ένα δύο ψωμί',
    '我喜歡在雨天喝茶看書',
    'ねこはこたつでまるくなる',
    '비오는날엔파전이좋아',
    'סוס נכון סוללה',
    'حصان بطارية صحيح',
    'मेरा घोड़ा तेज़ है',
    'ม้าถูกต้องแบตเตอรี่',
    '🐎🔋📎✅🌧️🍵📚🎈',
    `${family} walks home`,
    'naïve café près',
    '8f14e45fceea167a5a36dedd4bea2543',
    'ZGVhZCBwYXJyb3Q=',
    'deadbeef-cafe-4a11',
    'abcd-and-more-words',
    'qwerty makes no sonnet',
    '12345678 sheep asleep',
    'aaaaaaaa but then b',
    'C:\\Users\\night\\owl',
    "'; DROP TABLE naps; --",
  ])('%j', (password) => expect(judge(password, jane)).toEqual([]));
});

describe('each reason alone', () => {
  test.each<[PasswordFault, string]>([
    ['password-too-short', 'x7#Kq2!'],
    ['password-too-long', `${diceware} `.repeat(4) + 'and nothing that comes back'],
    ['password-common', 'Password1'],
    ['password-common', 'password123'],
    ['password-common', 'iloveyou1'],
    ['password-common', 'P@ssw0rd'],
    ['password-digits-only', '8301947265920'],
    ['password-digits-only', '٨٣٠١٩٤٧٢'],
    ['password-pattern', 'xy!xy!xy!xy!'],
    ['password-personal', 'J@n3-Mu11er!'],
    ['password-bad-unicode', 'velvet\0thimble'],
    ['password-bad-unicode', 'velvet\uD83Dthimble'],
    ['password-bad-unicode', 'velvet thimble\uDC0E'],
  ])('%s: %j', (fault, password) => expect(judge(password, jane)).toEqual([fault]));
});

describe('all reasons are told, in one order', () => {
  test.each<[string, readonly PasswordFault[]]>([
    ['', ['password-too-short']],
    ['1111', ['password-too-short', 'password-digits-only', 'password-pattern']],
    ['12345678', ['password-common', 'password-digits-only', 'password-pattern']],
    ['qwertyuiop', ['password-common', 'password-pattern']],
    ['jane', ['password-too-short', 'password-personal']],
    ['janejanejane', ['password-pattern', 'password-personal']],
    ['a'.repeat(129), ['password-too-long', 'password-pattern']],
    ['\0'.repeat(129), ['password-too-long', 'password-pattern', 'password-bad-unicode']],
    ['1'.repeat(129), ['password-too-long', 'password-digits-only', 'password-pattern']],
  ])('%j', (password, faults) => expect(judge(password, jane)).toEqual(faults));
});

describe('length counts code points after NFC', () => {
  test.each([
    ['8 emoji are long enough', '🐎🔋📎✅🍵📚🎈🐈', true],
    ['7 emoji are too short, though of 14 units', '🐎🔋📎✅🍵📚🎈', false],
    ['a letter and its accent are one', 'e\u0301cole7x', false],
    ['128 are allowed', `${diceware} plus an ending that fills it up `.padEnd(128, 'zwxkvb'), true],
  ])('%s', (_, password, isAccepted) => expect(judge(password).length === 0).toBe(isAccepted));

  test('the limits are those of the rules', () => {
    expect(judgePassword('orbit-velvet', nobody, { ...rules, minLength: 15 })).toEqual(['password-too-short']);
    expect(judgePassword('orbit-velvet', nobody, { ...rules, maxLength: 11 })).toEqual(['password-too-long']);
  });
});

describe('a pattern is refused when it is the whole password', () => {
  test.each(
    [
      ['aaaaaaaa', 'abcabcabc', 'AbCaBcabC', 'abcabcabca', '🐎🔋🐎🔋🐎🔋🐎🔋', 'wok wok wok '],
      ['abcdefgh', 'hgfedcba', '87654321', '0987654321', 'aBcDeFgH', 'абвгдежз', 'αβγδεζηθ'],
      ['qwertyuiop', 'poiuytre', 'asdfghjkl', 'lkjhgfds', 'zxcvbnmnbvcxz', 'azertyuiop', 'qsdfghjklm', 'qwertzuiop'],
      ['qwertyuiopasdfghjkl', 'asdf1234', '4321rewq', 'abcdedcba1234', 'aaaabbbb', 'abcddcba'],
    ].flat(),
  )('%j', (password) => expect(judge(password)).toContain('password-pattern'));

  test.each([
    'abcxabcx',
    '12345678a',
    'xabcdefgh',
    'qwe-asd-zxc',
    'abc123def456',
    'aaa bbb ccc',
    'abcdefg7',
    'qwertasdfz',
  ])('but not %j', (password) => expect(judge(password)).not.toContain('password-pattern'));
});

describe('a password built from names is refused', () => {
  test.each([
    ['janejanet', 'a name twice, and a letter'],
    ['Jane123', 'a name and three more'],
    ['J4n3!!!', 'leet spelling'],
    ['enaJ123', 'a name backward'],
    ['jdoe1985', 'the user name'],
    ['5891eodj', 'the user name backward'],
    ['jd0e!98$', 'the user name in leet spelling'],
    ['Muller-D', 'a part of a name without its accent'],
    ['MÜLLER!?x', 'a part of a name in capitals'],
    ['jane.doe@mail.acme.test', 'the address'],
    ['mail.acme.test', 'the domain'],
    ['acme-acme-1', 'a domain label'],
    ['Jane1985Jane', 'parts of several names'],
    ['🐎🔋📎janejane', 'emoji count as one each'],
  ])('%j: %s', (password) => expect(judge(password, jane)).toContain('password-personal'));

  test.each([
    ['jane likes trains', 'enough other characters'],
    ['Jane🐎🔋📎✅', 'four others'],
    ['doe-doe-doe', 'a part of a name of three characters'],
    ['password', 'no name in it'],
    ['abc', 'short, but no name in it'],
  ])('but not %j: %s', (password) => expect(judge(password, jane)).not.toContain('password-personal'));

  test('a whole name counts from three characters on', () => {
    expect(judge('bob-bob-bo', { firstName: 'Bob' })).toEqual([]);
    expect(judge('bob+bobbob', { firstName: 'Bob' })).toEqual(['password-personal']);
    expect(judge('bo-bobo-bo', { firstName: 'Bo' })).toEqual([]);
  });

  test('Hangul counts by syllable', () => {
    expect(judge('김철수김철수!?김', { lastName: '김철수' })).toEqual(['password-personal']);
  });

  test.each<PersonalWords>([{}, { email: null }, { userName: '', firstName: ' ', lastName: '-', email: '@' }])(
    'empty names %j match nothing',
    (personal) => expect(judge('orbit velvet', personal)).toEqual([]),
  );
});

describe('normalising', () => {
  test.each([
    ['composes accents', 'cafe\u0301', 'caf\u00e9'],
    ['makes every space U+0020', 'a\u00a0b\u3000c\u2003d', 'a b c d'],
    ['keeps case, width and outer spaces', ' ＡbC ', ' ＡbC '],
    ['keeps joined emoji', family, family],
  ])('%s', (_, password, expected) => {
    expect(normalisePassword(password)).toBe(expected);
    expect(normalisePassword(expected)).toBe(expected);
  });

  test('comes before the look-up', () => expect(judge('password\u00a01').includes('password-common')).toBe(false));
});
