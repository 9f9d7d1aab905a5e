import { Injectable } from '@nestjs/common';

import { Passwords } from '#libs/security/passwords';
import type { RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { UsersRepository } from '#libs/users';

import type { AccessToken, Reauthenticate } from '../auth.schema.js';
import { asUser } from '../sessions/session-access.js';
import { TokenPairs } from '../tokens/token-pairs.service.js';
import { LoginDelaysRepository } from './login-delays.repository.js';
import { LoginOutcomes } from './login-outcomes.repository.js';

const detail = 'This is not the password of this user, or it was tried too often: wait before you try again.';

/** Has somebody who is signed in give the password again, for what an access token alone must not be enough for. */
@Injectable()
export class Reauthentication {
  constructor(
    private readonly users: UsersRepository,
    private readonly passwords: Passwords,
    private readonly delays: LoginDelaysRepository,
    private readonly outcomes: LoginOutcomes,
    private readonly pairs: TokenPairs,
  ) {}

  /**
   * A new access token of the same session. Its refresh tokens go on, and so does the time of this authentication.
   * @param signal fires when the client hangs up
   * @throws AppError `forbidden` for a service, `wrong-password`, `overloaded`, `unavailable`
   */
  async reauthenticate({ password }: Reauthenticate, source: RequestSource, signal: AbortSignal): Promise<AccessToken> {
    const { userId, sessionId } = asUser(source.caller);
    using reservation = this.passwords.queue.reserve();
    const owner = await this.users.findPasswordOwner(userId);
    const isRight = await this.passwords.verify(password, owner?.passwordHash, { signal, reservation });
    const attempt = this.delays.attemptWithin(sessionId, userId);
    if (!isRight || !owner) {
      await this.delays.fail(attempt);
      throw new AppError('wrong-password', { detail });
    }
    // what cannot be answered must not be recorded
    await this.pairs.prepare();
    const key = this.pairs.signingKey();
    const session = { id: sessionId, userId, passwordHash: owner.passwordHash, keyId: key.id };
    const user = await this.outcomes.confirm(session, attempt, source);
    if (!user) throw new AppError('wrong-password', { detail });
    return this.pairs.access(sessionId, user, key);
  }
}
