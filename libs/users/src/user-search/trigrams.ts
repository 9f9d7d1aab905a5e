import { foldCase } from './fold-case.js';

/** Which letters the trigram index knows: those of every alphabet, or of ASCII where `LC_CTYPE` of the database is C. */
export type IndexedLetters = 'all' | 'ascii';

const runs: Readonly<Record<IndexedLetters, RegExp>> = { all: /[\p{L}\p{N}]{3}/u, ascii: /[a-z0-9]{3}/i };
/** Letters in the form that the index has them in, and digits. */
const indexed: Readonly<Record<IndexedLetters, RegExp>> = {
  all: /^[\p{Ll}\p{Lo}\p{Nd}]{3}$/u,
  ascii: /^[a-z0-9]{3}$/,
};

/** The index knows runs of letters and digits; without three in a row it would have to be read whole. */
export const hasTrigram = (part: string, letters: IndexedLetters): boolean => runs[letters].test(part);

/** Three characters in a row, and where they begin. */
type Trigram = { readonly at: number; readonly text: string };

function trigramsOf(characters: readonly string[], letters: IndexedLetters): readonly Trigram[] {
  return characters.flatMap((_, at) => {
    const text = characters.slice(at, at + 3).join('');
    return indexed[letters].test(text) && text === foldCase(text) ? [{ at, text }] : [];
  });
}

/** In how many texts of a sample each trigram comes, and what the index knows. */
export type Sample = { readonly counts: ReadonlyMap<string, number>; readonly letters: IndexedLetters };

/** How often any three characters come in some texts. */
export function countTrigrams(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (let at = 0; at < text.length - 2; at++) {
      const trigram = text.slice(at, at + 3);
      counts.set(trigram, (counts.get(trigram) ?? 0) + 1);
    }
  }
  return counts;
}

/**
 * Two leave too many rows to look at, and each more is one more list to read. Names and addresses among 1,000,000: p90
 * 4.8 ms by one, 0.59 by two, 0.40 by three, 0.39 by four, 0.66 by six, 3.7 by all.
 */
const chosen = 3;

/**
 * A LIKE pattern of the rarest trigrams of a text, in their order: whatever has the text fits it, and few others do. The
 * index reads the lists of these alone; of all trigrams of a long text it would also read those that half the table has.
 * @returns undefined for a text without a trigram that is sure to be in the index as it is here
 */
export function rarePattern({ counts, letters }: Sample, text: string): string | undefined {
  const characters = [...foldCase(text)];
  const rarest = trigramsOf(characters, letters)
    .toSorted((left, right) => (counts.get(left.text) ?? 0) - (counts.get(right.text) ?? 0))
    .slice(0, chosen);
  if (rarest.length === 0) return undefined;
  const isIn = new Set(rarest.flatMap(({ at }) => [at, at + 1, at + 2]));
  const parts = characters.map((character, at) => (isIn.has(at) ? character : '%')).join('');
  return `%${parts}%`.replaceAll(/%+/g, '%');
}
