import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { MailService } from '#libs/mail';
import { type Config, CONFIG } from '#libs/platform/config';
import { OutboxSender } from '#libs/platform/outbox';
import {
  emailVerificationKind,
  emailVerificationSchema,
  type EmailVerification,
  toEmailKey,
  type User,
  UserAddresses,
  UserTurns,
} from '#libs/users';

import { OneTimeTokensRepository } from './one-time-tokens.repository.js';

/** Which of the two addresses of a user is to be confirmed, and by which mail. */
type Target = { readonly mail: 'verify' | 'address-change'; readonly email: string };

/** Turns what was asked for into mail. Whoever is unknown or has nothing to confirm gets none. */
@Injectable()
export class EmailVerificationDelivery implements OnModuleInit {
  constructor(
    private readonly addresses: UserAddresses,
    private readonly turns: UserTurns,
    private readonly tokens: OneTimeTokensRepository,
    private readonly mail: MailService,
    private readonly sender: OutboxSender,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    if (!this.mail.isOn) return;
    this.sender.register(emailVerificationKind, (payload, id) =>
      this.#deliver(emailVerificationSchema.parse(payload), id),
    );
  }

  async #deliver(wanted: EmailVerification, id: string): Promise<void> {
    const userId = await this.addresses.findOwner(wanted);
    if (userId === undefined) return;
    await this.turns.take(userId, () =>
      this.addresses.withActive(userId, (em, user) => this.#write(em, user, { ...wanted, id })),
    );
  }

  async #write(em: SqlEntityManager, user: User, wanted: EmailVerification & { id: string }): Promise<void> {
    const target = targetOf(user, wanted.email);
    if (!target) return;
    const { id: userId, firstName, profile } = user;
    const emailKey = toEmailKey(target.email);
    const issued = await this.tokens.issue(em, { id: wanted.id, purpose: 'email-verification', userId, emailKey });
    if (!issued) return;
    const link = `${this.config.PUBLIC_URL}/account/verify#${issued.token}`;
    await this.mail.add(em, {
      kind: target.mail,
      to: target.email,
      userId,
      variables: { firstName, link, code: issued.code },
      locale: profile['locale'],
      // somebody who is signed in may have asked for another's mail
      acceptLanguage: (wanted.userId ?? userId) === userId ? wanted.acceptLanguage : undefined,
    });
  }
}

/** Nothing when the address is not the user's, or is confirmed. @param email the one that was named */
function targetOf({ email, emailVerified, pendingEmail }: User, named: string | undefined): Target | undefined {
  const isMeant = (address: string | null | undefined): address is string =>
    typeof address === 'string' && (named === undefined || toEmailKey(named) === toEmailKey(address));
  if (isMeant(pendingEmail)) return { mail: 'address-change', email: pendingEmail };
  return isMeant(email) && !emailVerified ? { mail: 'verify', email } : undefined;
}
