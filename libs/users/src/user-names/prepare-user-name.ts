import { satisfiesBidiRule } from './bidi-rule.js';
import { isIdentifier } from './identifier-class.js';
import { isSingleScript } from './single-script.js';

/** Why a name is refused; stable codes. */
export type UserNameFault =
  | 'empty'
  | 'too-long'
  | 'disallowed-character'
  | 'mixed-scripts'
  | 'mixed-direction'
  | 'bad-unicode';

/**
 * `userName` keeps the case (UsernameCasePreserved); `key` is what makes it unique
 * (UsernameCaseMapped).
 */
export type PreparedUserName = { readonly userName: string; readonly key: string };

const maxCodePoints = 64;
// Before NFC a character takes at most four UTF-16 units (α with three marks).
const maxInputUnits = maxCodePoints * 4;
// RFC 8264 section 7: apply the rules up to four times, and refuse a name that is still not stable.
const maxPasses = 4;

// Fast path: the full rules allow these and change nothing but the case.
const asciiName = /^[\x21-\x3F\x41-\x7E]{1,64}$/;

/**
 * Returns the form of a user name to store and show, and its key to compare by; or why it is
 * refused.
 *
 * The profiles are UsernameCasePreserved and UsernameCaseMapped of RFC 8265, sections 3.3 and 3.4,
 * with the rules in the order of RFC 8264 section 7: width, case, NFC, direction, code points. Both
 * forms must pass. The key is derived from `userName`, so that it can be computed again from what
 * is stored. Preparing either form again changes nothing.
 *
 * Stricter than the RFC, to keep names apart that people cannot:
 * - `@` is refused: login takes a user name or an e-mail address, and neither may pass for the
 *   other.
 * - All letters are of one script, see {@link isSingleScript}.
 * - A name has 1 to 64 code points.
 *
 * White space is refused, never trimmed. Case mapping is not case folding: `ß` is not `ss`, and `ς`
 * is not `σ`. `reserved-names.ts` tells which names are reserved, such as `me` and `admin`.
 */
export function prepareUserName(input: string): PreparedUserName | UserNameFault {
  if (input === '') return 'empty';
  if (input.length > maxInputUnits) return 'too-long';
  if (asciiName.test(input)) return { userName: input, key: input.toLowerCase() };
  if (!input.isWellFormed() || input.includes('\0')) return 'bad-unicode';

  const userName = applyUntilStable(input, preserveCase);
  if (userName === undefined) return 'disallowed-character';
  const key = applyUntilStable(userName, mapCase);
  if (key === undefined) return 'disallowed-character';

  return faultOf(userName) ?? faultOf(key) ?? { userName, key };
}

function preserveCase(text: string): string {
  return mapWidth(text).normalize('NFC');
}

function mapCase(text: string): string {
  return mapWidth(text).toLowerCase().normalize('NFC');
}

/** Other wide and narrow characters stay: the IdentifierClass allows none that they map to. */
function mapWidth(text: string): string {
  return text.replace(/[\uFF01-\uFF9F]/g, (character) => character.normalize('NFKC'));
}

function applyUntilStable(text: string, applyRules: (text: string) => string): string | undefined {
  let current = text;
  for (let pass = 1; pass <= maxPasses; pass += 1) {
    const next = applyRules(current);
    if (next === current) return current;
    current = next;
  }
  return undefined;
}

function faultOf(name: string): UserNameFault | undefined {
  if ([...name].length > maxCodePoints) return 'too-long';
  if (name.includes('@') || !isIdentifier(name)) return 'disallowed-character';
  if (!satisfiesBidiRule(name)) return 'mixed-direction';
  if (!isSingleScript(name)) return 'mixed-scripts';
  return undefined;
}
