import { Logger } from '@nestjs/common';

import type { Config } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';

import { CommonPasswords } from './common-passwords.js';
import { HibpRange } from './hibp.js';
import { isWholePattern } from './password-pattern.js';
import { isBuiltFromNames, type PersonalWords } from './personal-words.js';

const maxLength = 128;
/** NIST SP 800-63B-4 §3.1.1.2 asks for 15 where a password is the only factor. */
const adminMinLength = 15;
const breachTimeoutMs = 1_500;

export type PasswordFault =
  | 'password-too-short'
  | 'password-too-long'
  | 'password-common'
  | 'password-digits-only'
  | 'password-pattern'
  | 'password-personal'
  | 'password-bad-unicode';
type Reason = PasswordFault | 'password-breached';

const messages: Readonly<Record<Exclude<Reason, 'password-too-short'>, string>> = {
  'password-too-long': `must have at most ${maxLength} characters`,
  'password-common': 'is among the most used passwords',
  'password-digits-only': 'must not be all digits',
  'password-pattern': 'must not be a repeated or sequential pattern',
  'password-personal': 'must not be built from your own names or e-mail address',
  'password-bad-unicode': 'must be well-formed text without NUL',
  'password-breached': 'has appeared in a breach of another service',
};

/** Lengths in code points of the normalised password. */
type PasswordRules = { readonly minLength: number; readonly maxLength: number; readonly common: CommonPasswords };

/** Names that the password must not be built from, and roles, which set its least length. */
export type PasswordSubject = PersonalWords & { readonly roles: readonly string[] };

/** Refuses passwords that are short or that are guessed first (NIST SP 800-63B-4 §3.1.1.2). */
export class PasswordPolicy {
  readonly #common = CommonPasswords.load();
  readonly #breaches: HibpRange | undefined;
  readonly #logger = new Logger('PasswordPolicy');

  constructor(private readonly config: Config) {
    this.#breaches = config.PASSWORD_BREACH_CHECK
      ? new HibpRange({ baseUrl: config.PASSWORD_BREACH_URL, timeoutMs: breachTimeoutMs })
      : undefined;
  }

  /** @throws AppError `password-refused` with every reason */
  async validate(password: string, { roles, ...personal }: PasswordSubject): Promise<void> {
    const isAdmin = roles.includes('admin');
    const { PASSWORD_MIN_LENGTH } = this.config;
    const minLength = isAdmin ? Math.max(adminMinLength, PASSWORD_MIN_LENGTH) : PASSWORD_MIN_LENGTH;
    const tooShort = `must have at least ${minLength} characters${isAdmin ? ' for an administrator' : ''}`;
    const judged = judgePassword(password, personal, { minLength, maxLength, common: this.#common });
    const isBreached = judged.length === 0 && (await this.#isBreached(password));
    const faults: readonly Reason[] = isBreached ? ['password-breached'] : judged;
    if (faults.length === 0) return;
    throw new AppError('password-refused', {
      errors: faults.map((code) => ({
        path: 'password',
        message: code === 'password-too-short' ? tooShort : messages[code],
        code,
      })),
    });
  }

  /** When the check cannot be made, nobody is refused. */
  async #isBreached(password: string): Promise<boolean> {
    if (!this.#breaches) return false;
    try {
      return await this.#breaches.isBreached(normalisePassword(password));
    } catch (error) {
      this.#logger.warn({ err: error, event: 'breach check failed; the password was taken without it' });
      return false;
    }
  }
}

/**
 * Every reason for which the password is refused, in the order of `PasswordFault`; empty when it is
 * accepted.
 *
 * All characters are allowed, spaces and emoji included, and no mixture of kinds is asked for (NIST
 * SP 800-63B-4 §3.1.1.2). Normalises by itself. Time is linear in the length, some 50 µs for 128
 * characters (`bench/passwords.ts`): bound the length of the raw input where it is parsed.
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
 * NFC, as NIST SP 800-63B-4 §3.1.1.2 asks, after every kind of space has become U+0020
 * (OpaqueString, RFC 8265 §4.2.2), since some keyboards type a no-break space. Case, width and
 * control characters stay as they are.
 */
export function normalisePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}
