import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { MailService } from '#libs/mail';
import type { RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { AuditTrail } from '#libs/security/audit';
import { type User, UsersRepository } from '#libs/users';

import type { Purpose } from './one-time-token.entity.js';
import { OneTimeTokensRepository, type Proof, type Proven } from './one-time-tokens.repository.js';

/** What a link or a code from a mail proves: that somebody reads the mail of an address. */
@Injectable()
export class OneTimeProofs {
  constructor(
    private readonly tokens: OneTimeTokensRepository,
    private readonly users: UsersRepository,
    private readonly audit: AuditTrail,
    private readonly mail: MailService,
    private readonly em: SqlEntityManager,
  ) {}

  /** @throws AppError `mail-off`: there is nothing to prove with */
  assertMailOn(): void {
    if (!this.mail.isOn) throw new AppError('mail-off');
  }

  /**
   * What a proof stands for; it stays good.
   * @throws AppError `mail-off`, and as `refuse`
   */
  async find(purpose: Purpose, proof: Proof, source: RequestSource): Promise<Proven> {
    this.assertMailOn();
    return (await this.tokens.find(purpose, proof)) ?? this.refuse(purpose, proof, source);
  }

  /**
   * A wrong code is counted, and recorded whether the address is known or not: both cost a commit.
   * @throws AppError `invalid-confirmation`
   */
  async refuse(purpose: Purpose, proof: Proof, source: RequestSource): Promise<never> {
    if ('code' in proof) {
      await this.em.fork().transactional(async (em) => {
        await this.tokens.countWrongCode(em, purpose, proof.email);
        await this.audit.record({ event: 'one-time-code-refused', details: { purpose } }, source, em);
      });
    }
    throw new AppError('invalid-confirmation');
  }

  /**
   * Uses it for a user that `findActiveForUpdate` has locked, and ends all others of the user.
   * Whoever reads the mail of an address holds it, so that it is confirmed if it is still the
   * user's.
   * @throws AppError `invalid-confirmation` when it was used meanwhile, or has ended
   */
  async use(em: SqlEntityManager, proven: Proven, user: User, source: RequestSource): Promise<void> {
    if (!(await this.tokens.use(em, proven))) throw new AppError('invalid-confirmation');
    await this.tokens.endAll(em, user.id);
    if (!(await this.users.confirmEmail(em, user, proven.emailKey))) return;
    await this.audit.record({ event: 'email-verified', userId: user.id }, source, em);
  }
}
