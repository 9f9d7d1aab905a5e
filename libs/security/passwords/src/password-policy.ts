import { Inject, Injectable, Logger } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';

import { CommonPasswords } from './policy/common-passwords.js';
import { HibpRange } from './policy/hibp.js';
import { judgePassword, type PasswordFault, normalisePassword, type PersonalWords } from './policy/judge-password.js';

const maxLength = 128;
/** NIST SP 800-63B-4 §3.1.1.2 asks for it where a password is the only factor. */
const adminMinLength = 15;
const breachTimeoutMs = 1_500;

type Reason = PasswordFault | 'password-breached';

/** Whose password it is to be: the names that it must not be built from, and the roles, which set its least length. */
export type PasswordSubject = PersonalWords & { readonly roles: readonly string[] };

/** Which passwords are taken: long enough, and not among those that are guessed first (NIST SP 800-63B-4 §3.1.1.2). */
@Injectable()
export class PasswordPolicy {
  readonly #common = CommonPasswords.load();
  readonly #breaches: HibpRange | undefined;
  readonly #logger = new Logger('PasswordPolicy');
  readonly #messages: Readonly<Record<Exclude<Reason, 'password-too-short'>, string>>;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    this.#breaches = config.PASSWORD_BREACH_CHECK
      ? new HibpRange({ baseUrl: config.PASSWORD_BREACH_URL, timeoutMs: breachTimeoutMs })
      : undefined;
    this.#messages = {
      'password-too-long': `must have at most ${maxLength} characters`,
      'password-common': 'is among the most used passwords',
      'password-digits-only': 'must not be all digits',
      'password-pattern': 'must not be a repeated or sequential pattern',
      'password-personal': 'must not be built from your own names or e-mail address',
      'password-bad-unicode': 'must be well-formed text without NUL',
      'password-breached': 'has appeared in a breach of another service',
    };
  }

  /** @throws AppError `password-refused` with every reason */
  async check(password: string, { roles, ...personal }: PasswordSubject): Promise<void> {
    const isAdmin = roles.includes('admin');
    const minLength = isAdmin
      ? Math.max(adminMinLength, this.config.PASSWORD_MIN_LENGTH)
      : this.config.PASSWORD_MIN_LENGTH;
    const tooShort = `must have at least ${minLength} characters${isAdmin ? ' for an administrator' : ''}`;
    const judged = judgePassword(password, personal, {
      minLength,
      maxLength,
      common: this.#common,
    });
    const faults: readonly Reason[] =
      judged.length === 0 && (await this.#isBreached(password)) ? ['password-breached'] : judged;
    if (faults.length === 0) return;
    throw new AppError('password-refused', {
      errors: faults.map((code) => ({
        path: 'password',
        message: code === 'password-too-short' ? tooShort : this.#messages[code],
        code,
      })),
    });
  }

  /** A check that cannot be made refuses nobody. */
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
