import { Injectable } from '@nestjs/common';

import { PasswordHasher } from './password-hasher.js';
import { PasswordPolicy } from './password-policy.js';
import type { PersonalWords } from './policy/judge-password.js';

/** Takes a password that somebody has chosen: judged first, then hashed. */
@Injectable()
export class NewPassword {
  constructor(
    private readonly policy: PasswordPolicy,
    private readonly hasher: PasswordHasher,
  ) {}

  /** @returns its hash @throws AppError `password-refused`, `overloaded` */
  async take(password: string, personal: PersonalWords): Promise<string> {
    await this.policy.check(password, personal);
    return this.hasher.hash(password);
  }
}
