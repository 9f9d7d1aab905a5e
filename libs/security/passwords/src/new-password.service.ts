import { Injectable } from '@nestjs/common';

import { PasswordHasher } from './password-hasher.js';
import { PasswordPolicy, type PasswordSubject } from './password-policy.js';

/** Takes a password that somebody has chosen: judged first, then hashed. */
@Injectable()
export class NewPassword {
  constructor(
    private readonly policy: PasswordPolicy,
    private readonly hasher: PasswordHasher,
  ) {}

  /** @returns its hash @throws AppError `password-refused`, `overloaded` */
  async take(password: string, subject: PasswordSubject): Promise<string> {
    await this.policy.check(password, subject);
    return this.hasher.hash(password);
  }
}
