/** Names of the user, from which a password must not be built. */
export type PersonalWords = {
  readonly userName?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly email?: string | null;
};

const minNameLength = 3;
const minPartLength = 4;
const minOtherCharacters = 4;

// 1, ! and l share a letter, because 1 stands for l as often as for i
const letterOfSign = new Map(
  Object.entries({ 4: 'a', '@': 'a', 0: 'o', 1: 'i', '!': 'i', l: 'i', 3: 'e', 5: 's', $: 's', 7: 't' }),
);
const leetSigns = /[4@01!l35$7]/g;

/**
 * Whether fewer than four characters remain once the user's names are taken out of the password.
 *
 * Names count from 3 characters on, the parts of names and addresses (`doe1985` in
 * `jane.doe1985@acme.test` gives `doe` and `1985`) from 4, each forward and backward, without
 * regard to letter case, accents or leet spelling. These are the "context-specific words … and
 * derivatives thereof" of NIST SP 800-63B-4 §3.1.1.2.
 */
export function isBuiltFromNames(password: string, personal: PersonalWords): boolean {
  const text = fold(password);
  const covered = new Uint8Array(text.length);
  for (const word of wordsOf(personal)) {
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) covered.fill(1, at, at + word.length);
  }
  return covered.includes(1) && countUncovered(text, covered) < minOtherCharacters;
}

function wordsOf({ userName, firstName, lastName, email }: PersonalWords): ReadonlySet<string> {
  const names = [userName, firstName, lastName, email, ...(email?.split('@') ?? [])].filter(
    (name) => typeof name === 'string',
  );
  const parts = names.flatMap((name) => name.match(/[\p{L}\p{M}]+|\p{N}+/gu) ?? []);
  const words = [...longEnough(names, minNameLength), ...longEnough(parts, minPartLength)];
  return new Set(words.flatMap((word) => [word, Array.from(word).toReversed().join('')]));
}

function longEnough(texts: readonly string[], minLength: number): readonly string[] {
  return texts.map((text) => fold(text.trim())).filter((text) => Array.from(text).length >= minLength);
}

function fold(text: string): string {
  const withoutAccents = text
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC');
  return withoutAccents.toLowerCase().replace(leetSigns, (sign) => letterOfSign.get(sign) ?? sign);
}

function countUncovered(text: string, covered: Uint8Array): number {
  let count = 0;
  let at = 0;
  for (const character of text) {
    if (covered[at] === 0) count += 1;
    at += character.length;
  }
  return count;
}
