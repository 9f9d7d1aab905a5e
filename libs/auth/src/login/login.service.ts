import { Injectable, Logger } from '@nestjs/common';

import { Passwords } from '#libs/security/passwords';
import type { RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { type Credentials, findKeys, UsersRepository } from '#libs/users';

import type { Login, TokenPair } from '../auth.schema.js';
import type { DeviceOwner } from './device-cookie.js';
import { LoginDelaysRepository } from './login-delays.repository.js';
import { LoginOutcomes } from './login-outcomes.repository.js';
import { SessionStart } from './session-start.service.js';

/** A login, and what it came with. */
export type LoginRequest = {
  readonly credentials: Login;
  /** The device that a cookie marks for a user. */
  readonly deviceOf: (owner: DeviceOwner) => string;
  readonly source: RequestSource;
  /** Fires when the client hangs up: who has left need not be waited for. */
  readonly signal: AbortSignal;
};

/** `owner` with the hash that is stored now: a foreign one was replaced. */
export type SignedIn = { readonly pair: TokenPair; readonly device: string; readonly owner: DeviceOwner };

/**
 * Signs people in. Unknown name, wrong password, deactivated and delayed account get the same answer after the same
 * work: one look-up, one hash, one statement.
 */
@Injectable()
export class LoginService {
  readonly #logger = new Logger('Login');

  constructor(
    private readonly users: UsersRepository,
    private readonly passwords: Passwords,
    private readonly delays: LoginDelaysRepository,
    private readonly outcomes: LoginOutcomes,
    private readonly sessionStart: SessionStart,
  ) {}

  /** @throws AppError `invalid-credentials`, `overloaded` */
  async login({ credentials, deviceOf, source, signal }: LoginRequest): Promise<SignedIn> {
    const { userName, password } = credentials;
    // REST refuses before it routes (`refuseBeforeRouting`); whoever comes by another way costs no look-up either
    using reservation = this.passwords.queue.reserve();
    // a name that cannot be anybody's is looked for all the same
    const keys = findKeys(userName) ?? { userNameKey: '' };
    const user = await this.users.findCredentials(keys);
    const isRight = await this.passwords.verify(password, user?.password_hash, { signal, reservation });
    const subject = user?.id ?? this.delays.subjectOf(Object.values(keys).join() || userName);
    const device = deviceOf({ userId: subject, passwordHash: user?.password_hash });
    const attempt = this.delays.attemptFrom(subject, device, source.ip);
    if (!isRight || !user) {
      await this.outcomes.refuse(attempt, user?.id, source);
      throw new AppError('invalid-credentials');
    }
    const pair = await this.sessionStart.start(user.password_hash, attempt, source);
    if (!pair) throw new AppError('invalid-credentials');
    const passwordHash = await this.#renewHash(user, password);
    return { pair, device, owner: { userId: user.id, passwordHash } };
  }

  /**
   * Hashes made with other parameters than today's are replaced while the password is at hand.
   * @returns what is stored now; where another login or a change of password was first, what was verified
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
