import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import type { RequestContext, RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';

import { type NewSession, SessionsService } from '../sessions/sessions.service.js';
import type { TokenPair } from '../tokens/tokens.schema.js';
import { DeviceCookie } from './device-cookie.js';
import { FinishedLogins } from './finished-logins.service.js';
import { type AdmittedLogin, LoginAttemptsRepository } from './login-attempts.repository.js';
import { LoginChallengesService } from './login-challenges.service.js';
import type { CompleteLogin } from './login.schema.js';
import { Proofs } from './proofs.service.js';

const wrongCode =
  'This is no code of the second factor, was used, or was tried too often: wait before you try the next one.';

/** Finishes the logins of people with a second factor. */
@Injectable()
export class SecondFactorLoginService {
  constructor(
    private readonly challenges: LoginChallengesService,
    private readonly attempts: LoginAttemptsRepository,
    private readonly sessions: SessionsService,
    private readonly cookie: DeviceCookie,
    private readonly proofs: Proofs,
    private readonly finished: FinishedLogins,
  ) {}

  /**
   * Begins the session that the login was for. Sets the device cookie. A challenge stays good after
   * a wrong code, which counts as a wrong password does.
   * @throws AppError `invalid-challenge`; `invalid-credentials` for a code; `unknown-audience`,
   * `unavailable`, and the code is not used
   */
  async complete(
    { challenge, code }: CompleteLogin,
    source: RequestSource,
    { request, reply }: RequestContext,
  ): Promise<TokenPair> {
    const login = await this.challenges.find(challenge, source);
    if (!login) throw new AppError('invalid-challenge');
    const { userId, passwordHash, clientId } = login;
    const audience = await this.sessions.findAudience(login.audience ?? undefined);
    const owner = { userId, passwordHash };
    const device = this.cookie.read(request.headers.cookie, owner);
    const attempt = this.attempts.attemptFrom(userId, device, source.ip);
    const count = (): Promise<void> => this.attempts.refuseInTurn(attempt, userId, source);
    const isStillGood = (em: SqlEntityManager): Promise<boolean> => this.challenges.isGood(em, challenge);
    const proof = { attempt, passwordHash, code, source, isStillGood, count };
    const record = async (session: NewSession): Promise<AdmittedLogin> => {
      const begun = { ...session, clientId };
      const outcome = await this.proofs.accept(proof, (em) =>
        this.finished.record(em, challenge, begun, { attempt, source }),
      );
      if (outcome === 'gone') throw new AppError('invalid-challenge');
      if (outcome === 'refused') throw new AppError('invalid-credentials', { detail: wrongCode });
      return outcome.value;
    };
    const pair = await this.sessions.start(record, source, audience);
    if (!pair) throw new AppError('invalid-challenge');
    void reply.header('set-cookie', this.cookie.write(device, owner));
    return pair;
  }
}
