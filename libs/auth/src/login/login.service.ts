import { Injectable, Logger } from '@nestjs/common';

import { Passwords } from '#libs/security/passwords';
import type { RequestContext, RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { type Credentials, findKeys, UsersRepository } from '#libs/users';

import { type NewSession, SessionsService } from '../sessions/sessions.service.js';
import type { TokenPair } from '../tokens/tokens.schema.js';
import { DeviceCookie } from './device-cookie.js';
import { type AdmittedLogin, LoginAttemptsRepository } from './login-attempts.repository.js';
import { LoginChallengesService } from './login-challenges.service.js';
import type { Login } from './login.schema.js';

/** A login over REST or GraphQL; `signal` fires when the client hangs up. */
export type LoginRequest = {
  readonly credentials: Login;
  readonly source: RequestSource;
  readonly signal: AbortSignal;
};

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
    private readonly challenges: LoginChallengesService,
  ) {}

  /**
   * Sets the device cookie.
   * @throws AppError `second-factor-required` or `email-not-verified`, after the right password;
   * `invalid-credentials`, `overloaded`, `unavailable`; `unknown-audience` before anything is
   * looked up, hashed or counted
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
    const { challenge, challengeHash } = this.challenges.make();
    const verified = { passwordHash: user.password_hash, challengeHash, audience: credentials.audience };
    const record = async (session: NewSession): Promise<AdmittedLogin | undefined> => {
      const admitted = await this.attempts.admit(session, attempt, verified, source);
      if (admitted !== 'challenged') return admitted;
      const passwordHash = await this.#renewHash(user, password);
      if (passwordHash !== user.password_hash) await this.challenges.renewHash(challengeHash, passwordHash);
      throw await this.challenges.refusalFor(user.id, challenge);
    };
    const pair = await this.sessions.start(record, source, audience);
    if (!pair) throw new AppError('invalid-credentials');
    const passwordHash = await this.#renewHash(user, password);
    void reply.header('set-cookie', this.cookie.write(device, { userId: user.id, passwordHash }));
    return pair;
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
