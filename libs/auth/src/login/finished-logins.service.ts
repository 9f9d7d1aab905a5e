import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import type { RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { AuditTrail } from '#libs/security/audit';

import { SessionAuthenticationRepository } from '../sessions/session-authentication.repository.js';
import type { NewSession } from '../sessions/sessions.service.js';
import {
  type AdmittedLogin,
  assertHasKey,
  type LoginAttempt,
  LoginAttemptsRepository,
} from './login-attempts.repository.js';
import { LoginChallengesService } from './login-challenges.service.js';
import { NewSignIns } from './new-sign-ins.service.js';

/** Whose login is finished, and from where. */
type Finished = { readonly attempt: LoginAttempt; readonly source: RequestSource };

/** Writes what a login with both factors leaves behind, in the transaction that used the code. */
@Injectable()
export class FinishedLogins {
  constructor(
    private readonly challenges: LoginChallengesService,
    private readonly sessions: SessionAuthenticationRepository,
    private readonly attempts: LoginAttemptsRepository,
    private readonly newSignIns: NewSignIns,
    private readonly trail: AuditTrail,
  ) {}

  /**
   * @throws AppError `invalid-challenge` when it is used, or its service has ended; `unavailable`
   * when the key was retired meanwhile. Then the transaction is rolled back.
   */
  async record(
    em: SqlEntityManager,
    challenge: string,
    session: NewSession,
    { attempt, source }: Finished,
  ): Promise<AdmittedLogin> {
    const userId = attempt.subject;
    if (!(await this.challenges.use(em, challenge))) throw new AppError('invalid-challenge');
    const begun = await this.sessions.begin(em, userId, session, source);
    assertHasKey(begun);
    if (begun.userId === null) throw new AppError('invalid-challenge');
    await this.newSignIns.addWithin(em, { userId, sessionId: session.id }, attempt, source);
    await this.trail.record({ event: 'login-succeeded', userId }, source, em);
    return { ...begun, secondsLeft: this.attempts.secondsOfNew };
  }
}
