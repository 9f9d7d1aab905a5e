const minRunLength = 4;

/** QWERTY, AZERTY and QWERTZ, without rows that are part of another one. */
const keyboardRows = [
  '1234567890',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'azertyuiop',
  'qsdfghjklm',
  'wxcvbn',
  'qwertzuiop',
  'yxcvbnm',
];

const keysRightOf = new Map<string, string>();
for (const row of keyboardRows) {
  for (const [index, key] of Array.from(row.slice(0, -1)).entries()) {
    keysRightOf.set(key, (keysRightOf.get(key) ?? '') + row.charAt(index + 1));
  }
}

type Step = (from: string, to: string) => boolean;

const steps: readonly Step[] = [
  (from, to) => from === to,
  (from, to) => codePoint(to) - codePoint(from) === 1,
  (from, to) => codePoint(from) - codePoint(to) === 1,
  (from, to) => isRightOf(from, to),
  (from, to) => isRightOf(to, from),
];

/**
 * Whether the whole password is one simple pattern, in any letter case: a unit repeated three times
 * or more (`abcabcabc`), or nothing but runs of at least four equal, consecutive or neighbouring
 * characters (`abcd4321`, `qwertzuiop`). A password with anything else beside a pattern is not one.
 * Time is linear in the length.
 */
export function isWholePattern(password: string): boolean {
  const characters = Array.from(password.toLowerCase());
  return isRepeatedUnit(characters) || isMadeOfRuns(characters);
}

/** Uses the prefix function of Knuth, Morris and Pratt; the last unit may be cut short. */
function isRepeatedUnit(characters: readonly string[]): boolean {
  if (characters.length < 3) return false;
  const borders = [0];
  let border = 0;
  for (const character of characters.slice(1)) {
    while (border > 0 && character !== characters[border]) border = borders[border - 1] ?? 0;
    if (character === characters[border]) border += 1;
    borders.push(border);
  }
  return characters.length - border <= characters.length / 3;
}

function isMadeOfRuns(characters: readonly string[]): boolean {
  // lastCovered[end]: the longest prefix, up to `end`, that consists of runs
  const lastCovered = [0];
  const runStarts = steps.map(() => 0);
  for (const [index, character] of characters.entries()) {
    const previous = characters[index - 1];
    if (previous !== undefined) {
      for (const [kind, step] of steps.entries()) if (!step(previous, character)) runStarts[kind] = index;
    }
    const end = index + 1;
    // any part of a run is a run, so that a shorter one may begin later than its start
    const runsFrom = lastCovered[end - minRunLength] ?? -1;
    const isCovered = runStarts.some((start) => start <= runsFrom);
    const covered = isCovered ? end : (lastCovered[index] ?? 0);
    // fast path: most passwords return here after two characters
    if (runStarts.every((start) => start > covered)) return false;
    lastCovered.push(covered);
  }
  return characters.length > 0 && lastCovered.at(-1) === characters.length;
}

function isRightOf(left: string, right: string): boolean {
  return keysRightOf.get(left)?.includes(right) ?? false;
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}
