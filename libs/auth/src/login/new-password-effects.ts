import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { MailService } from '#libs/mail';
import type { PasswordOwner } from '#libs/users';

import { LoginAttemptsRepository } from './login-attempts.repository.js';

/** Whoever has a new password, and where they are told of it. */
type Owner = Pick<PasswordOwner, 'id' | 'firstName' | 'email'>;

/** What follows a new password, whichever way it was set; sessions are ended by each way itself. */
@Injectable()
export class NewPasswordEffects {
  constructor(
    private readonly attempts: LoginAttemptsRepository,
    private readonly mail: MailService,
  ) {}

  /** @param ip of whoever has set it */
  async applyWithin(em: SqlEntityManager, owner: Owner, ip: string): Promise<void> {
    await this.attempts.forgetFailures(em, owner.id);
    await this.#tell(em, owner, ip);
  }

  /** To the address that the account has: whoever took it over cannot keep it from the owner. */
  async #tell(em: SqlEntityManager, { id, firstName, email }: Owner, ip: string): Promise<void> {
    if (email === null) return;
    const variables = { firstName, time: new Date().toISOString(), ip };
    await this.mail.add(em, { kind: 'password-changed', to: email, userId: id, variables });
  }
}
