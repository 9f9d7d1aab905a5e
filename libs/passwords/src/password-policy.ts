import { Inject, Injectable } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';

import { CommonPasswords } from './policy/common-passwords.js';
import { judgePassword, type PasswordFault, type PersonalWords } from './policy/judge-password.js';

const maxLength = 128;

/** Which passwords are taken: long enough, and not among those that are guessed first (NIST SP 800-63B-4 §3.1.1.2). */
@Injectable()
export class PasswordPolicy {
  readonly #common = CommonPasswords.load();
  readonly #messages: Readonly<Record<PasswordFault, string>>;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    this.#messages = {
      'password-too-short': `must have at least ${config.PASSWORD_MIN_LENGTH} characters`,
      'password-too-long': `must have at most ${maxLength} characters`,
      'password-common': 'is among the most used passwords',
      'password-digits-only': 'must not be all digits',
      'password-pattern': 'must not be a repeated or sequential pattern',
      'password-personal': 'must not be built from your own names or e-mail address',
      'password-bad-unicode': 'must be well-formed text without NUL',
    };
  }

  /** @throws AppError `password-refused` with every reason */
  check(password: string, personal: PersonalWords): void {
    const faults = judgePassword(password, personal, {
      minLength: this.config.PASSWORD_MIN_LENGTH,
      maxLength,
      common: this.#common,
    });
    if (faults.length === 0) return;
    throw new AppError('password-refused', {
      errors: faults.map((code) => ({ path: 'password', message: this.#messages[code], code })),
    });
  }
}
