import { joinsToNext, joinsToPrevious, transparent, virama } from './joining-tables.js';

type ContextRule = {
  readonly appliesTo: RegExp;
  readonly allows: (before: string, after: string) => boolean;
};

const afterVirama = new RegExp(`[${virama}]$`, 'v');
const afterJoining = new RegExp(`[${joinsToNext}][${transparent}]*$`, 'v');
const beforeJoining = new RegExp(`^[${transparent}]*[${joinsToPrevious}]`, 'v');

const contextRules: readonly ContextRule[] = [
  // A.1 zero width non-joiner
  {
    appliesTo: /^\u200C$/,
    allows: (before, after) => afterVirama.test(before) || (afterJoining.test(before) && beforeJoining.test(after)),
  },
  // A.2 zero width joiner
  { appliesTo: /^\u200D$/, allows: (before) => afterVirama.test(before) },
  // A.3 middle dot, as in Catalan
  { appliesTo: /^\u00B7$/, allows: (before, after) => before.endsWith('l') && after.startsWith('l') },
  // A.4 Greek keraia
  { appliesTo: /^\u0375$/, allows: (_before, after) => /^\p{Script=Greek}/v.test(after) },
  // A.5 and A.6 Hebrew geresh and gershayim
  { appliesTo: /^[\u05F3\u05F4]$/, allows: (before) => /\p{Script=Hebrew}$/v.test(before) },
  // A.7 katakana middle dot
  {
    appliesTo: /^\u30FB$/,
    allows: (before, after) => /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/v.test(before + after),
  },
  // A.8 Arabic-Indic digits
  { appliesTo: /^[\u0660-\u0669]$/, allows: (before, after) => !/[\u06F0-\u06F9]/.test(before + after) },
  // A.9 extended Arabic-Indic digits
  { appliesTo: /^[\u06F0-\u06F9]$/, allows: (before, after) => !/[\u0660-\u0669]/.test(before + after) },
];

/**
 * Whether every character that needs a context (CONTEXTJ, CONTEXTO) has it, after RFC 5892 appendix A.
 * Quadratic in the length of the name, which the caller limits.
 */
export function satisfiesContextRules(name: string): boolean {
  let position = 0;
  for (const character of name) {
    const before = name.slice(0, position);
    position += character.length;
    const after = name.slice(position);
    const rule = contextRules.find(({ appliesTo }) => appliesTo.test(character));
    if (rule && !rule.allows(before, after)) return false;
  }
  return true;
}
