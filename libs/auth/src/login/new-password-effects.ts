import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { MailService } from '#libs/mail';
import { languageOf, type RequestSource } from '#libs/platform/access';
import { type PasswordOwner, UsersRepository } from '#libs/users';

import { LoginAttemptsRepository } from './login-attempts.repository.js';

/** Whoever has a new password, and where they are told of it. */
type Owner = Pick<PasswordOwner, 'id' | 'firstName' | 'email'> & { readonly locale?: unknown };

/** What follows a new password, whichever way it was set; sessions are ended by each way itself. */
@Injectable()
export class NewPasswordEffects {
  constructor(
    private readonly users: UsersRepository,
    private readonly attempts: LoginAttemptsRepository,
    private readonly mail: MailService,
  ) {}

  /** @param source of whoever has set it */
  async applyWithin(em: SqlEntityManager, owner: Owner, source: RequestSource): Promise<void> {
    await this.users.endProofs(em, owner.id);
    await this.attempts.forgetFailures(em, owner.id);
    await this.#tell(em, owner, source);
  }

  /** To the address that the account has: whoever took it over cannot keep it from the owner. */
  async #tell(em: SqlEntityManager, owner: Owner, source: RequestSource): Promise<void> {
    const { id: userId, firstName, email: to, locale } = owner;
    if (to === null) return;
    const wishes = { locale, acceptLanguage: languageOf(userId, source) };
    const variables = { firstName, time: new Date().toISOString(), ip: source.ip };
    await this.mail.add(em, { kind: 'password-changed', to, userId, variables, ...wishes });
  }
}
