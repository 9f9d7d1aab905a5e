import type { CommonPasswords } from './common-passwords.js';
import { isWholePattern } from './password-pattern.js';
import { isBuiltFromNames, type PersonalWords } from './personal-words.js';

export type { PersonalWords } from './personal-words.js';

export type PasswordFault =
  | 'password-too-short'
  | 'password-too-long'
  | 'password-common'
  | 'password-digits-only'
  | 'password-pattern'
  | 'password-personal'
  | 'password-bad-unicode';

/** Lengths in code points of the normalised password. */
export type PasswordRules = {
  readonly minLength: number;
  readonly maxLength: number;
  readonly common: CommonPasswords;
};

/**
 * Every reason for which the password is refused, in the order of `PasswordFault`; empty when it is accepted.
 *
 * Any characters will do, spaces and emoji included, and no mixture of kinds is asked for (NIST SP 800-63B-4
 * §3.1.1.2). Normalises by itself. Time is linear in the length, some 50 µs for 128 characters: bound the length of
 * the raw input where it is parsed.
 */
export function judgePassword(
  password: string,
  personal: PersonalWords,
  rules: PasswordRules,
): readonly PasswordFault[] {
  const text = normalisePassword(password);
  const length = Array.from(text).length;
  const findings: readonly (readonly [PasswordFault, boolean])[] = [
    ['password-too-short', length < rules.minLength],
    ['password-too-long', length > rules.maxLength],
    ['password-common', rules.common.has(text)],
    ['password-digits-only', /^\p{Nd}+$/u.test(text)],
    ['password-pattern', isWholePattern(text)],
    ['password-personal', isBuiltFromNames(text, personal)],
    ['password-bad-unicode', !text.isWellFormed() || text.includes('\0')],
  ];
  return findings.filter(([, isFound]) => isFound).map(([fault]) => fault);
}

/**
 * The form of a password that is counted, compared and hashed; idempotent.
 *
 * NFC, as NIST SP 800-63B-4 §3.1.1.2 asks, after every kind of space has become U+0020 (OpaqueString, RFC 8265
 * §4.2.2), since some keyboards type a no-break space. Case, width and control characters stay as they are.
 */
export function normalisePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}
