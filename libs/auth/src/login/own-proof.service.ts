import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { type RequestSource, type UserPrincipal } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { Passwords } from '#libs/security/passwords';
import { UsersRepository } from '#libs/users';

import { asUser } from '../sessions/session-owner.js';
import { LoginAttemptsRepository } from './login-attempts.repository.js';
import type { Reauthenticate } from './login.schema.js';
import { Proofs } from './proofs.service.js';

/** What somebody who is signed in gives; `signal` fires when the client hangs up. */
export type OwnProof = {
  readonly given: Reauthenticate;
  readonly source: RequestSource;
  readonly signal: AbortSignal;
};

const wrongPassword = 'This is not the password of this user, or it was tried too often: wait before you try again.';

/**
 * The password or a code of somebody who is signed in already: an access token alone must not be
 * enough for what it is asked for.
 */
@Injectable()
export class OwnProofService {
  constructor(
    private readonly users: UsersRepository,
    private readonly passwords: Passwords,
    private readonly attempts: LoginAttemptsRepository,
    private readonly proofs: Proofs,
  ) {}

  /**
   * Does `work` in the transaction in which the proof is accepted. What is wrong counts against the
   * session: its thief slows nobody else.
   * @throws AppError `forbidden` for a service, `wrong-password`, `wrong-code`, `overloaded`
   */
  async accept<T>(
    { given, source, signal }: OwnProof,
    work: (em: SqlEntityManager, caller: UserPrincipal) => Promise<T>,
  ): Promise<T> {
    const caller = asUser(source.caller);
    const attempt = this.attempts.attemptWithin(caller.sessionId, caller.userId);
    const refusal = (): AppError =>
      'code' in given ? new AppError('wrong-code') : new AppError('wrong-password', { detail: wrongPassword });
    const isCode = 'code' in given;
    const passwordHash = isCode ? undefined : await this.#verify(given.password, caller.userId, signal);
    if (!isCode && passwordHash === undefined) {
      await this.attempts.fail(attempt);
      throw refusal();
    }
    const count = (): Promise<void> => this.attempts.failInTurn(attempt);
    const proof = { attempt, passwordHash, code: isCode ? given.code : undefined, source, count };
    const outcome = await this.proofs.accept(proof, async (em) => {
      // hashing may have waited: the caller may be somebody else by now
      await source.callerNow();
      return work(em, caller);
    });
    if (typeof outcome === 'string') throw refusal();
    return outcome.value;
  }

  /** The hash that the password is right for. */
  async #verify(password: string, userId: string, signal: AbortSignal): Promise<string | undefined> {
    using reservation = this.passwords.queue.reserve();
    const owner = await this.users.findPasswordOwner(userId);
    const isRight = await this.passwords.verify(password, owner?.passwordHash, { signal, reservation });
    return isRight ? owner?.passwordHash : undefined;
  }
}
