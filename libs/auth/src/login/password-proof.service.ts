import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { Passwords } from '#libs/security/passwords';

import { LoginDelaysRepository } from './login-delays.repository.js';

type Claim = { readonly userId: string; readonly sessionId: string; readonly passwordHash: string };

/** Lets signed-in users prove that they know their password. Whoever stole a session must not guess it there at will. */
@Injectable()
export class PasswordProof {
  constructor(
    private readonly passwords: Passwords,
    private readonly delays: LoginDelaysRepository,
  ) {}

  async isProved(password: string, { userId, sessionId, passwordHash }: Claim): Promise<boolean> {
    const attempt = this.delays.attemptWithin(sessionId, userId);
    if (await this.passwords.verify(password, passwordHash)) return (await this.delays.succeed(attempt)) === 'admitted';
    await this.delays.fail(attempt);
    return false;
  }

  /** With a new password: what was guessed before is worth nothing against it, and delays end. */
  forgetFailures(em: SqlEntityManager, userId: string): Promise<void> {
    return this.delays.lift(em, userId);
  }
}
