import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { MailService } from '#libs/mail';
import { AppError } from '#libs/platform/errors';
import { AuditTrail } from '#libs/security/audit';
import { type PasswordOwner, UsersRepository } from '#libs/users';

import { SecondFactorsService } from '../second-factor/second-factors.service.js';
import { SessionAuthenticationRepository } from '../sessions/session-authentication.repository.js';
import { asUser } from '../sessions/session-owner.js';
import { type OwnProof, OwnProofService } from './own-proof.service.js';

/** Takes the second factor away from people who show that it is them. */
@Injectable()
export class SecondFactorRemovalService {
  constructor(
    private readonly proofs: OwnProofService,
    private readonly factors: SecondFactorsService,
    private readonly sessions: SessionAuthenticationRepository,
    private readonly users: UsersRepository,
    private readonly mail: MailService,
    private readonly trail: AuditTrail,
  ) {}

  /**
   * Removes it and its recovery codes. Sessions go on, from their next refresh as those of a
   * password alone.
   * @throws as `OwnProofService.accept`; AppError `second-factor-not-found`
   */
  async remove(proof: OwnProof): Promise<void> {
    const { userId } = asUser(proof.source.caller);
    if ((await this.factors.factorsOf(userId)).length === 0) throw new AppError('second-factor-not-found');
    const owner = await this.users.findPasswordOwner(userId);
    await this.proofs.accept(proof, async (em) => {
      if (!(await this.factors.removeWithin(em, userId))) throw new AppError('second-factor-not-found');
      await this.sessions.forgetSecondFactor(em, userId);
      await this.trail.record({ event: 'second-factor-removed', userId }, proof.source, em);
      if (owner) await this.#tell(em, userId, owner);
    });
  }

  async #tell(em: SqlEntityManager, userId: string, owner: PasswordOwner): Promise<void> {
    if (owner.email === null) return;
    const time = new Date().toISOString().replace(/T(.{8}).*/, ' $1 UTC');
    const variables = { firstName: owner.firstName, time };
    await this.mail.add(em, { kind: 'second-factor-changed', to: owner.email, userId, variables });
  }
}
