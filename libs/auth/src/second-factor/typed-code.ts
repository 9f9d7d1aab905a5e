import { randomBytes } from 'node:crypto';

/** Crockford's base32: without `i`, `l`, `o` and `u`; 50 bits in ten letters. */
const letters = '0123456789abcdefghjkmnpqrstvwxyz';
const codeLetters = 10;
const codesOfUser = 10;

/** What somebody typed: digits of an app, or a code that was kept for the day without it. */
export type TypedCode = { readonly kind: 'totp' | 'recovery-code'; readonly code: string };

/**
 * Six digits are a TOTP value, all else a recovery code, with or without spaces and hyphens, in any
 * case, and with letters that look like digits.
 */
export function readTypedCode(text: string): TypedCode {
  const code = text
    .replaceAll(/[\s\p{Pd}]/gu, '')
    .toLowerCase()
    .replaceAll('o', '0')
    .replaceAll(/[il]/g, '1');
  return { kind: /^\d{6}$/.test(code) ? 'totp' : 'recovery-code', code };
}

/** Ten new codes, in the spelling that is stored; no two are alike. */
export function newRecoveryCodes(): readonly string[] {
  const codes = new Set<string>();
  while (codes.size < codesOfUser) {
    // 256 is a multiple of 32: each letter is as likely as any other
    codes.add(Array.from(randomBytes(codeLetters), (byte) => letters.charAt(byte % letters.length)).join(''));
  }
  return [...codes];
}

/** The spelling that people see: `xxxxx-xxxxx`. */
export const toShownCode = (code: string): string => `${code.slice(0, 5)}-${code.slice(5)}`;
