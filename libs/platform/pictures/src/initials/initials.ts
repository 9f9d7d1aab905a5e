/** What of a name is a letter or a sign of its own: no spaces, marks that stand alone, or invisible formatting. */
const visible = /[\p{L}\p{N}\p{S}\p{Emoji_Presentation}]/u;
/** Long clusters (stacked marks, families of emoji) would not fit, and could be as long as a name. */
const clusterLimit = 12;

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** The first visible character of each name, as a reader counts characters (UAX #29), in capitals; `?` if there is none. */
export function initialsOf(firstName: string, lastName: string): string {
  const found = [firstName, lastName].map(firstCharacter).join('');
  return found === '' ? '?' : found;
}

function firstCharacter(name: string): string {
  for (const { segment } of segmenter.segment(name)) {
    if (visible.test(segment)) return upper(segment.slice(0, clusterLimit).toWellFormed());
  }
  return '';
}

/** One character stays one: the capital of ß would be two. */
function upper(character: string): string {
  const capital = character.toLocaleUpperCase('und');
  return [...segmenter.segment(capital)].length === 1 ? capital : character;
}
