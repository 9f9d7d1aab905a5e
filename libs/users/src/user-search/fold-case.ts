/**
 * What `search_fold` of the database makes of a text (migration 0017): the same for all texts that differ in case only.
 * The lower case of the upper case is what Unicode's full case folding makes alike (`ß` and `SS`); beside it `ς` is `σ`
 * wherever it stands, and `I`, `i`, `ı` and `İ` are one letter, as nobody knows which of them a capital `I` stands for.
 */
export function foldCase(text: string): string {
  const letters = text.normalize('NFD').toLowerCase().toUpperCase().toLowerCase();
  return letters.replaceAll('ς', 'σ').replaceAll('ı', 'i').replaceAll('i\u0307', 'i').normalize('NFC');
}
