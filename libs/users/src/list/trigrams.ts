/**
 * The same as `search_fold` of the database (migration 0017): equal for texts that differ only in
 * case. The lower case of the upper case equals full case folding (`ß` is `SS`). Besides, `ς` is
 * always `σ`, and `I`, `i`, `ı` and `İ` are one letter, since `I` is the capital of `i` and `ı`.
 */
export function foldCase(text: string): string {
  const letters = text.normalize('NFD').toLowerCase().toUpperCase().toLowerCase();
  return letters.replaceAll('ς', 'σ').replaceAll('ı', 'i').replaceAll('i\u0307', 'i').normalize('NFC');
}

/** Letters that the trigram index knows: all, or ASCII when `LC_CTYPE` of the database is C. */
export type IndexedLetters = 'all' | 'ascii';

const runs: Readonly<Record<IndexedLetters, RegExp>> = { all: /[\p{L}\p{N}]{3}/u, ascii: /[a-z0-9]{3}/i };
/** Letters in the form in which the index stores them, and digits. */
const indexed: Readonly<Record<IndexedLetters, RegExp>> = {
  all: /^[\p{Ll}\p{Lo}\p{Nd}]{3}$/u,
  ascii: /^[a-z0-9]{3}$/,
};

/** Whether the index can be searched: without three letters or digits in a row it is read whole. */
export const hasTrigram = (part: string, letters: IndexedLetters): boolean => runs[letters].test(part);

/** Three characters in a row, and the index of the first. */
type Trigram = { readonly at: number; readonly text: string };

function trigramsOf(characters: readonly string[], letters: IndexedLetters): readonly Trigram[] {
  return characters.flatMap((_, at) => {
    const text = characters.slice(at, at + 3).join('');
    return indexed[letters].test(text) && text === foldCase(text) ? [{ at, text }] : [];
  });
}

/** How often each trigram occurs in a sample of texts, and which letters the index knows. */
export type Sample = { readonly counts: ReadonlyMap<string, number>; readonly letters: IndexedLetters };

/** How often any three characters in a row occur. */
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
 * Fewer leave too many rows to filter, each more is one more list to read. p90 of searches among
 * 1,000,000 users in ms: 4.8 by one, 0.59 by two, 0.40 by three, 0.39 by four, 3.7 by all.
 */
const chosen = 3;

/**
 * A LIKE pattern of the rarest trigrams of a text in their order: it fits every row that contains
 * the text, and few others. The index then reads the lists of these trigrams only; those of all
 * trigrams of a long text would include some that half the table has.
 * @returns undefined for a text without a trigram that the index surely stores as it is here
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
