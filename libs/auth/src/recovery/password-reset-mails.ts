import { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { MailService } from '#libs/mail';
import { type Config, CONFIG } from '#libs/platform/config';
import { OutboxSender } from '#libs/platform/outbox';
import { toEmailKey, UsersRepository } from '#libs/users';

import { OneTimeTokensRepository } from './one-time-tokens.repository.js';
import { resetRequestKind, type ResetRequest, resetRequestSchema } from './password-reset.schema.js';

/** Answers the requests in the outbox: makes link and code, and writes the mail with them. */
@Injectable()
export class PasswordResetMails implements OnModuleInit {
  constructor(
    private readonly sender: OutboxSender,
    private readonly em: SqlEntityManager,
    private readonly users: UsersRepository,
    private readonly tokens: OneTimeTokensRepository,
    private readonly mail: MailService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    if (!this.mail.isOn) return;
    this.sender.register(resetRequestKind, (payload, id) => this.#answer(resetRequestSchema.parse(payload), id));
  }

  /** Nobody gets a mail who is unknown, deactivated, or has had those of the hour. */
  async #answer({ email, acceptLanguage }: ResetRequest, id: string): Promise<void> {
    const emailKey = toEmailKey(email);
    const found = await this.users.findCredentials({ emailKey });
    if (!found) return;
    const write = async (em: SqlEntityManager): Promise<void> => {
      const user = await this.users.findActiveForUpdate(em, found.id);
      // the address may be another one since the look-up
      if (!user?.email || user.emailKey !== emailKey) return;
      const issued = await this.tokens.issue(em, { id, purpose: 'password-reset', userId: user.id, emailKey });
      if (!issued) return;
      const link = `${this.config.PUBLIC_URL}/account/reset#${issued.token}`;
      const variables = { firstName: user.firstName, link, code: issued.code };
      const wishes = { locale: user.profile['locale'], acceptLanguage };
      // as the user spelled it: what was typed may be another mailbox to a server that minds case
      await this.mail.add(em, { kind: 'reset', to: user.email, userId: user.id, variables, ...wishes });
    };
    await this.users.turns.take(found.id, () => this.em.fork().transactional(write));
  }
}
