import { Injectable } from '@nestjs/common';

import type { RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { Passwords } from '#libs/security/passwords';
import { RevocationsService } from '#libs/security/revocation';
import { UsersRepository } from '#libs/users';

import { NewPasswordEffects } from '../login/new-password-effects.js';
import { SessionsService } from '../sessions/sessions.service.js';
import type { Proven } from './one-time-tokens.repository.js';
import type { ConfirmPasswordReset } from './password-reset.schema.js';
import { Proofs } from './proofs.js';

/** Sets the password of somebody who has forgotten it, and who reads the mail of the account. */
@Injectable()
export class PasswordResetService {
  constructor(
    private readonly proofs: Proofs,
    private readonly users: UsersRepository,
    private readonly passwords: Passwords,
    private readonly effects: NewPasswordEffects,
    private readonly revocations: RevocationsService,
    private readonly sessions: SessionsService,
  ) {}

  /**
   * What the old password had opened ends in the same transaction, on every replica. Signs nobody
   * in, and leaves the second factor on. A password that is refused uses nothing up.
   * @param signal fires when the client hangs up
   * @throws AppError `invalid-confirmation`, also for somebody who is deactivated; `mail-off`,
   * `password-refused`, `overloaded`, `unavailable`
   */
  async confirm({ proof, password }: ConfirmPasswordReset, source: RequestSource, signal: AbortSignal): Promise<void> {
    // REST refuses before it routes (`refuseBeforeRouting`); this is for GraphQL
    using reservation = this.passwords.queue.reserve();
    const proven = await this.proofs.find('password-reset', proof, source);
    const owner = await this.users.findPasswordOwner(proven.userId);
    if (!owner) throw new AppError('invalid-confirmation');
    await this.passwords.validate(password, owner);
    const hash = await this.passwords.hash(password, { signal, reservation });
    await this.users.turns.take(proven.userId, () => this.#setHash(proven, hash, source));
  }

  async #setHash(proven: Proven, hash: string, source: RequestSource): Promise<void> {
    await this.revocations.transactional(async (em, revoke) => {
      // the user first, then the link, as everybody locks them
      const user = await this.users.findActiveForUpdate(em, proven.userId);
      if (!user) throw new AppError('invalid-confirmation');
      await this.proofs.use(em, proven, user, source);
      await this.users.setHash(em, user.id, hash);
      const { id, firstName, email = null } = user;
      await this.effects.applyWithin(em, { id, firstName, email }, source.ip);
      const reason = { cause: 'password-changed', event: 'password-reset', source } as const;
      await this.sessions.endAllWithin(em, revoke, user.id, reason);
    });
  }
}
