import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import type { RequestSource } from '#libs/platform/access';
import { AuditTrail } from '#libs/security/audit';
import { UserTurns } from '#libs/users';

import { SecondFactorsService } from '../second-factor/second-factors.service.js';
import { type LoginAttempt, LoginAttemptsRepository } from './login-attempts.repository.js';

/** What somebody gives to show who they are. The subject of the attempt is a user. */
export type Proof = {
  readonly attempt: LoginAttempt;
  /** That of a password that was verified. */
  readonly passwordHash?: string | undefined;
  /** To be verified, and used up. */
  readonly code?: string | undefined;
  readonly source: RequestSource;
  /** Asked before a code is tried. */
  readonly isStillGood?: (em: SqlEntityManager) => Promise<boolean>;
  /** Counts what was wrong. */
  readonly count: () => Promise<void>;
};

type Accepted<T> = { readonly value: T };
/** `gone`: there is nothing to prove any more; the user is deactivated, or the password another. */
type Refused = 'gone' | 'refused';

/**
 * Accepts a proof and does what it permits in one transaction. Proofs of one user are tried one
 * after another, and each that is wrong is counted before the next on this replica is looked at.
 */
@Injectable()
export class Proofs {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly turns: UserTurns,
    private readonly attempts: LoginAttemptsRepository,
    private readonly factors: SecondFactorsService,
    private readonly trail: AuditTrail,
  ) {}

  /** A delayed attempt is refused whatever is given, and uses nothing up. */
  accept<T>(proof: Proof, work: (em: SqlEntityManager) => Promise<T>): Promise<Accepted<T> | Refused> {
    return this.turns.take(proof.attempt.subject, async () => {
      const outcome = await this.em.fork().transactional(async (em) => {
        const refused = await this.#refuse(em, proof);
        return refused ?? { value: await work(em) };
      });
      if (outcome === 'refused') await proof.count();
      return outcome;
    });
  }

  /** Why the proof is not accepted; nothing when it is, and a code is used up then. */
  async #refuse(em: SqlEntityManager, { attempt, isStillGood, ...proof }: Proof): Promise<Refused | undefined> {
    if (!(await this.attempts.lockWithin(em, attempt, proof.passwordHash))) return 'gone';
    if (isStillGood && !(await isStillGood(em))) return 'gone';
    if (await this.attempts.isDelayed(em, attempt)) return 'refused';
    const given = proof.code === undefined ? 'password' : 'code';
    if (proof.code !== undefined && !(await this.#use(em, attempt.subject, proof.code, proof.source))) return 'refused';
    await this.attempts.forgetWithin(em, attempt, given);
    return undefined;
  }

  async #use(em: SqlEntityManager, userId: string, code: string, source: RequestSource): Promise<boolean> {
    const kind = await this.factors.verifyWithin(em, userId, code);
    if (kind === 'recovery-code') await this.trail.record({ event: 'recovery-code-used', userId }, source, em);
    return kind !== undefined;
  }
}
