import { Injectable } from '@nestjs/common';

import { Passwords } from '#libs/security/passwords';
import { assertFreshlyAuthenticated, isUser, type RequestSource, type UserPrincipal } from '#libs/platform/access';
import { randomToken } from '#libs/platform/crypto';
import { AppError } from '#libs/platform/errors';
import { RevocationsService } from '#libs/security/revocation';
import { changeableId, noSuchUser, type PasswordOwner, toUserName, UsersRepository } from '#libs/users';

import { SessionsService } from '../sessions/sessions.service.js';
import type { TokenPair } from '../tokens/tokens.schema.js';
import { LoginAttemptsRepository } from './login-attempts.repository.js';
import type { ChangePassword } from './login.schema.js';
import { NewPasswordEffects } from './new-password-effects.js';

/** The next tokens of the session that changed the password of its own user, and both hashes. */
type ChangedOwn = {
  readonly pair: TokenPair;
  readonly userId: string;
  readonly hashes: { readonly before: string; readonly after: string };
};

/** Changes passwords; what the old one had opened ends in the same transaction. */
@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly users: UsersRepository,
    private readonly passwords: Passwords,
    private readonly attempts: LoginAttemptsRepository,
    private readonly revocations: RevocationsService,
    private readonly sessions: SessionsService,
    private readonly effects: NewPasswordEffects,
  ) {}

  /**
   * @returns nothing when another user's was changed; of the session that changed its own, the
   * refresh token from before is dead as well
   * @throws AppError `forbidden`, `user-not-found`, `wrong-password`, `password-refused`,
   * `overloaded`, `unavailable`; `fresh-authentication-required` for another user's
   */
  async change(
    id: string,
    { currentPassword, password }: ChangePassword,
    source: RequestSource,
  ): Promise<ChangedOwn | undefined> {
    const userId = changeableId(id, source.caller);
    const self = isUser(source.caller) && source.caller.userId === userId ? source.caller : undefined;
    if (!self) assertFreshlyAuthenticated(source.caller);
    const owner = await this.users.findPasswordOwner(userId);
    if (!owner) throw noSuchUser(userId, source.caller);
    if (self) await this.#assertCurrent(self, owner, currentPassword);
    const hash = await this.passwords.validateAndHash(password, owner);
    const reason = { cause: 'password-changed', event: 'password-changed', source } as const;
    if (self) await this.sessions.prepareTokens();
    return this.users.turns.take(userId, () =>
      this.revocations.transactional(async (em, revoke) => {
        // another change in between wins: this one was checked against a password that is no more
        if (!(await this.users.changeHash(em, userId, owner.passwordHash, hash))) throw new AppError('wrong-password');
        // hashing may have waited: the caller may be somebody else by now
        changeableId(userId, await source.callerNow());
        await this.users.endProofs(em, userId);
        await this.effects.applyWithin(em, owner, source.ip);
        if (self) {
          const pair = await this.sessions.keepOnlyWithin(em, revoke, self, reason);
          return pair && { pair, userId, hashes: { before: owner.passwordHash, after: hash } };
        }
        await this.sessions.endAllWithin(em, revoke, userId, reason);
        return undefined;
      }),
    );
  }

  /**
   * Gives an administrator who lost the password a new, random one, at the operator's command. All
   * their sessions end.
   * @returns the new password, which is kept nowhere
   * @throws AppError `user-not-found` when nobody of that name administers Gatehouse
   */
  async resetAdmin(userName: string): Promise<string> {
    const user = await this.users.findByNameKey(toUserName(userName).key);
    if (!user?.roles.includes('admin')) throw new AppError('user-not-found');
    const password = randomToken().slice(0, 24);
    const hash = await this.passwords.hash(password);
    await this.revocations.transactional(async (em, revoke) => {
      await this.users.setHash(em, user.id, hash);
      await this.users.endProofs(em, user.id);
      await this.attempts.forgetFailures(em, user.id);
      const reason = { cause: 'password-changed', event: 'password-changed', source: 'operator' } as const;
      await this.sessions.endAllWithin(em, revoke, user.id, reason);
    });
    return password;
  }

  async #assertCurrent(
    { userId, sessionId }: UserPrincipal,
    { passwordHash }: PasswordOwner,
    currentPassword: string | undefined,
  ): Promise<void> {
    if (currentPassword === undefined) {
      const message = 'is required to change your own password';
      throw new AppError('invalid-request', { errors: [{ path: 'currentPassword', message, code: 'required' }] });
    }
    // whoever stole a session must not guess the password here at will
    const attempt = this.attempts.attemptWithin(sessionId, userId);
    if (!(await this.passwords.verify(currentPassword, passwordHash))) {
      await this.attempts.fail(attempt);
      throw new AppError('wrong-password');
    }
    if ((await this.attempts.succeed(attempt)) === 'delayed') throw new AppError('wrong-password');
  }
}
