import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { MailService } from '#libs/mail';
import { AddressProofs, type FormerAddress } from '#libs/users';

import { OneTimeTokensRepository } from './one-time-tokens.repository.js';

/** What `users` asks when an address changes, since links and mail are not its own. */
@Injectable()
export class MailedProofs extends AddressProofs {
  constructor(
    private readonly tokens: OneTimeTokensRepository,
    private readonly mail: MailService,
  ) {
    super();
  }

  async endAll(em: SqlEntityManager, userIds: readonly string[]): Promise<void> {
    await this.tokens.endAll(em, ...userIds);
  }

  async tellFormer(em: SqlEntityManager, { user, email, acceptLanguage }: FormerAddress): Promise<void> {
    const { id: userId, firstName, profile } = user;
    const variables = { firstName, time: timeInMail(new Date()) };
    const wishes = { locale: profile['locale'], acceptLanguage };
    await this.mail.add(em, { kind: 'address-changed', to: email, userId, variables, ...wishes });
  }
}

/** To the second, as people read it in any language. */
const timeInMail = (time: Date): string => time.toISOString().replace(/T(.{8}).*/, ' $1 UTC');
