import { Injectable, Logger } from '@nestjs/common';

import { AuditTrail } from '#libs/audit';
import { PasswordHasher } from '#libs/passwords';
import type { Origin } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { type Credentials, findKeys, UsersRepository } from '#libs/users';

import type { Login, TokenPair } from '../auth.schema.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { type Attempt, LoginDelaysRepository } from './login-delays.repository.js';

/** A login, and what it came with. */
export type LoginRequest = {
  readonly credentials: Login;
  /** The device that a cookie marks for a user. */
  readonly deviceOf: (userId: string) => string;
  readonly origin: Origin;
  /** Fires when the client hangs up: who has left need not be waited for. */
  readonly signal: AbortSignal;
};

export type SignedIn = { readonly pair: TokenPair; readonly userId: string; readonly device: string };

/**
 * Signs people in. Unknown name, wrong password, deactivated and delayed account get the same answer after the same
 * work: one look-up, one hash, one statement on the delays, one audit row.
 */
@Injectable()
export class LoginService {
  readonly #logger = new Logger('Login');

  constructor(
    private readonly users: UsersRepository,
    private readonly hasher: PasswordHasher,
    private readonly delays: LoginDelaysRepository,
    private readonly sessions: SessionsService,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws AppError `invalid-credentials`, `overloaded` */
  async login({ credentials, deviceOf, origin, signal }: LoginRequest): Promise<SignedIn> {
    const { userName, password } = credentials;
    // REST refuses before it routes (`refuseBeforeRouting`); whoever comes by another way costs no look-up either
    using place = this.hasher.queue.keepPlace();
    const user = await this.#find(userName);
    const isRight = await this.hasher.verify(password, user?.password_hash, { signal, place });
    const subject = user?.id ?? this.delays.subjectOf(userName.toLowerCase());
    const attempt = { subject, device: deviceOf(subject) };
    const pair = isRight && user ? await this.#admit(user, attempt, origin) : await this.#countFailure(attempt);
    if (!user || !pair) {
      await this.audit.record({ event: 'login-failed', userId: user?.id }, origin);
      throw new AppError('invalid-credentials');
    }
    await this.audit.record({ event: 'login-succeeded', userId: user.id }, origin);
    await this.#renewHash(user, password);
    return { pair, userId: user.id, device: attempt.device };
  }

  #find(login: string): Promise<Credentials | undefined> {
    // a name that cannot be anybody's is looked for all the same
    return this.users.findCredentials(findKeys(login) ?? { userNameKey: '' });
  }

  async #admit(user: Credentials, attempt: Attempt, origin: Origin): Promise<TokenPair | undefined> {
    if ((await this.delays.succeed(attempt)) === 'delayed') return undefined;
    return this.sessions.start({ id: user.id, passwordHash: user.password_hash }, origin);
  }

  async #countFailure(attempt: Attempt): Promise<undefined> {
    await this.delays.fail(attempt);
  }

  /** Hashes made with other parameters than today's are replaced while the password is at hand. */
  async #renewHash({ id, password_hash }: Credentials, password: string): Promise<void> {
    if (!this.hasher.isOutdated(password_hash)) return;
    try {
      await this.users.replaceHash(id, password_hash, await this.hasher.hash(password));
    } catch (error) {
      // the login is good; the next one tries again
      this.#logger.warn({ err: error, event: 'hash not renewed' });
    }
  }
}
