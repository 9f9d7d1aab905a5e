import { Injectable, Logger } from '@nestjs/common';

import { Passwords } from '#libs/security/passwords';
import { isAdmin, type RequestContext, type RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { changeableId, type Credentials, findKeys, UsersRepository } from '#libs/users';

import { asUser } from '../sessions/session-owner.js';
import { SessionsService } from '../sessions/sessions.service.js';
import type { AccessToken, TokenPair } from '../tokens/tokens.schema.js';
import { DeviceCookie } from './device-cookie.js';
import { LoginAttemptsRepository } from './login-attempts.repository.js';
import type { ChangePassword, Login, Reauthenticate } from './login.schema.js';
import { PasswordChangeService } from './password-change.service.js';

/** A login over REST or GraphQL; `signal` fires when the client hangs up. */
export type LoginRequest = {
  readonly credentials: Login;
  readonly source: RequestSource;
  readonly signal: AbortSignal;
};

type ChangeRequest = { readonly id: string; readonly change: ChangePassword; readonly source: RequestSource };

const wrongPassword = 'This is not the password of this user, or it was tried too often: wait before you try again.';

/**
 * Signs people in. Unknown name, wrong password, deactivated and delayed account get the same
 * answer after the same work: one look-up, one hash, one statement.
 */
@Injectable()
export class LoginService {
  readonly #logger = new Logger('Login');

  constructor(
    private readonly users: UsersRepository,
    private readonly passwords: Passwords,
    private readonly attempts: LoginAttemptsRepository,
    private readonly sessions: SessionsService,
    private readonly cookie: DeviceCookie,
    private readonly passwordChange: PasswordChangeService,
  ) {}

  /**
   * Sets the device cookie.
   * @throws AppError `invalid-credentials`, `email-not-verified` after the right password,
   * `overloaded`, `unavailable`; `unknown-audience` before anything is looked up, hashed or counted
   */
  async login({ credentials, source, signal }: LoginRequest, { request, reply }: RequestContext): Promise<TokenPair> {
    const { userName, password } = credentials;
    const audience = await this.sessions.findAudience(credentials.audience);
    // REST refuses before it routes (`refuseBeforeRouting`); this is for GraphQL
    using reservation = this.passwords.queue.reserve();
    // a name that cannot be anybody's is looked for all the same
    const keys = findKeys(userName) ?? { userNameKey: '' };
    const user = await this.users.findCredentials(keys);
    const isRight = await this.passwords.verify(password, user?.password_hash, { signal, reservation });
    const subject = user?.id ?? this.attempts.subjectOf(Object.values(keys).join() || userName);
    const owner = { userId: subject, passwordHash: user?.password_hash };
    const device = this.cookie.read(request.headers.cookie, owner);
    const attempt = this.attempts.attemptFrom(subject, device, source.ip);
    if (!isRight || !user) {
      await this.attempts.refuse(attempt, user?.id, source);
      throw new AppError('invalid-credentials');
    }
    const pair = await this.sessions.start(
      (session) => this.attempts.admit(session, attempt, user.password_hash, source),
      source,
      audience,
    );
    if (!pair) throw new AppError('invalid-credentials');
    const passwordHash = await this.#renewHash(user, password);
    void reply.header('set-cookie', this.cookie.write(device, { userId: user.id, passwordHash }));
    return pair;
  }

  /**
   * A new access token of the same session, for what an access token alone must not be enough for.
   * The refresh tokens of the session go on, and so does the time of this authentication.
   * @param signal fires when the client hangs up
   * @throws AppError `forbidden` for a service, `wrong-password`, `overloaded`, `unavailable`
   */
  async reauthenticate({ password }: Reauthenticate, source: RequestSource, signal: AbortSignal): Promise<AccessToken> {
    const { userId, sessionId } = asUser(source.caller);
    using reservation = this.passwords.queue.reserve();
    const owner = await this.users.findPasswordOwner(userId);
    const isRight = await this.passwords.verify(password, owner?.passwordHash, { signal, reservation });
    const attempt = this.attempts.attemptWithin(sessionId, userId);
    if (!isRight || !owner) {
      await this.attempts.fail(attempt);
      throw new AppError('wrong-password', { detail: wrongPassword });
    }
    const token = await this.sessions.renewAccess(sessionId, (keyId) =>
      this.attempts.confirm({ id: sessionId, keyId }, attempt, owner.passwordHash, source),
    );
    if (!token) throw new AppError('wrong-password', { detail: wrongPassword });
    return token;
  }

  /**
   * Changes a password. All cookies from before are worthless then; the device that changes the
   * password of its own user gets the next one with the answer.
   * @returns nothing when another user's password was changed
   * @throws as `PasswordChangeService.change`
   */
  async changePassword(
    { id, change, source }: ChangeRequest,
    { request, reply }: RequestContext,
  ): Promise<TokenPair | undefined> {
    const changed = await this.passwordChange.change(id, change, source);
    if (!changed) return undefined;
    const { pair, userId, hashes } = changed;
    const device = this.cookie.read(request.headers.cookie, { userId, passwordHash: hashes.before });
    void reply.header('set-cookie', this.cookie.write(device, { userId, passwordHash: hashes.after }));
    return pair;
  }

  /**
   * Forgets the failed logins of a user, so that nothing delays the next one.
   * @throws AppError `forbidden`, `user-not-found`
   */
  async liftDelay(id: string, source: RequestSource): Promise<void> {
    if (!isAdmin(source.caller)) throw new AppError('forbidden');
    const user = await this.users.findById(changeableId(id, source.caller));
    if (!user) throw new AppError('user-not-found');
    await this.attempts.liftDelay(user.id, source);
  }

  /** As `liftDelay`, for the operator. @param login user name or e-mail address */
  async liftDelayByName(login: string): Promise<void> {
    const keys = findKeys(login);
    const user = keys && (await this.users.findCredentials(keys));
    if (!user) throw new AppError('user-not-found');
    await this.attempts.liftDelay(user.id, 'operator');
  }

  /**
   * Replaces a hash of other parameters than today's, while the password is at hand.
   * @returns the hash that is stored now, or the verified one when another change came first
   */
  async #renewHash({ id, password_hash }: Credentials, password: string): Promise<string> {
    if (!this.passwords.isOutdated(password_hash)) return password_hash;
    try {
      const renewed = await this.passwords.hash(password);
      return (await this.users.replaceHash(id, password_hash, renewed)) ? renewed : password_hash;
    } catch (error) {
      // the login is good; the next one tries again
      this.#logger.warn({ err: error, event: 'hash not renewed' });
      return password_hash;
    }
  }
}
