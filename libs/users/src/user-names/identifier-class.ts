import { satisfiesContextRules } from './context-rules.js';

/**
 * The derived property of a code point for the IdentifierClass. `DISALLOWED` stands for all that is
 * not in the class: DISALLOWED, ID_DIS and UNASSIGNED of RFC 8264 section 8.
 */
export type IdentifierProperty = 'PVALID' | 'CONTEXTJ' | 'CONTEXTO' | 'DISALLOWED';

// RFC 5892 section 2.6, taken over as category F by RFC 8264 section 9.6.
const exceptionsValid = /^[\u00DF\u03C2\u06FD\u06FE\u0F0B\u3007]$/;
const exceptionsContext = /^[\u00B7\u0375\u05F3\u05F4\u30FB\u0660-\u0669\u06F0-\u06F9]$/;
const exceptionsDisallowed = /^[\u302E\u302F\u0640\u07FA\u3031-\u3035\u303B]$/;

const ascii7 = /^[\x21-\x7E]$/;
const joinControl = /^\p{Join_Control}$/v;
// Hangul_Syllable_Type L, V and T; the modern ones among them compose to syllables under NFC.
const oldHangulJamo = /^[\u1100-\u11FF\uA960-\uA97C\uD7B0-\uD7C6\uD7CB-\uD7FB]$/;
const precisIgnorable = /^[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]$/v;
const letterDigits = /^[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]$/v;

/** Whether a normalized name is in the IdentifierClass (RFC 8264 §4.2), context rules included. */
export function isIdentifier(name: string): boolean {
  let needsContext = false;
  for (const character of name) {
    const property = identifierProperty(character);
    if (property === 'DISALLOWED') return false;
    if (property !== 'PVALID') needsContext = true;
  }
  return !needsContext || satisfiesContextRules(name);
}

/**
 * The algorithm of RFC 8264 section 8 for one character, in its order. Its later steps differ for
 * the FreeformClass only; here all of them refuse. The Unicode version is that of the JavaScript
 * engine: newer characters are unassigned.
 */
export function identifierProperty(character: string): IdentifierProperty {
  if (exceptionsValid.test(character)) return 'PVALID';
  if (exceptionsContext.test(character)) return 'CONTEXTO';
  if (exceptionsDisallowed.test(character)) return 'DISALLOWED';
  if (ascii7.test(character)) return 'PVALID';
  if (joinControl.test(character)) return 'CONTEXTJ';
  if (oldHangulJamo.test(character)) return 'DISALLOWED';
  if (precisIgnorable.test(character)) return 'DISALLOWED';
  if (hasCompat(character)) return 'DISALLOWED';
  return letterDigits.test(character) ? 'PVALID' : 'DISALLOWED';
}

/** RFC 8264 section 9.17. */
function hasCompat(character: string): boolean {
  return character.normalize('NFKC') !== character;
}
