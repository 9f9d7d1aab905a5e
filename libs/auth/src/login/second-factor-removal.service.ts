import { Injectable } from '@nestjs/common';

import { AppError } from '#libs/platform/errors';

import { SecondFactorNotices } from '../second-factor/second-factor-notices.service.js';
import { SecondFactorsService } from '../second-factor/second-factors.service.js';
import { asUser } from '../sessions/session-owner.js';
import { type OwnProof, OwnProofService } from './own-proof.service.js';

/** Takes the second factor away from people who show that it is them. */
@Injectable()
export class SecondFactorRemovalService {
  constructor(
    private readonly proofs: OwnProofService,
    private readonly factors: SecondFactorsService,
    private readonly notices: SecondFactorNotices,
  ) {}

  /**
   * Removes it and its recovery codes. Sessions go on, from their next refresh as those of a
   * password alone.
   * @throws as `OwnProofService.accept`; AppError `second-factor-not-found`
   */
  async remove(proof: OwnProof): Promise<void> {
    const { source } = proof;
    const { userId } = asUser(source.caller);
    if ((await this.factors.factorsOf(userId)).length === 0) throw new AppError('second-factor-not-found');
    await this.proofs.accept(proof, async (em) => {
      if (!(await this.factors.removeWithin(em, userId))) throw new AppError('second-factor-not-found');
      await this.notices.add(em, { event: 'second-factor-removed', userId }, source);
    });
  }
}
