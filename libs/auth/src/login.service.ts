import { Injectable, Logger } from '@nestjs/common';

import { AuditTrail } from '#libs/audit';
import { PasswordHasher } from '#libs/passwords';
import type { Origin } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { type Credentials, findKeys, UsersRepository } from '#libs/users';

import type { Login, TokenPair } from './auth.schema.js';
import { SessionsService } from './sessions/sessions.service.js';

/** Signs people in: the same answer after the same work for every reason to refuse. */
@Injectable()
export class LoginService {
  readonly #logger = new Logger('Login');

  constructor(
    private readonly users: UsersRepository,
    private readonly hasher: PasswordHasher,
    private readonly sessions: SessionsService,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws AppError `invalid-credentials`, `overloaded` */
  async login({ userName, password }: Login, origin: Origin, signal?: AbortSignal): Promise<TokenPair> {
    const keys = findKeys(userName);
    const credentials = keys && (await this.users.findCredentials(keys));
    const isRight = await this.hasher.verify(password, credentials?.password_hash, signal);
    const pair =
      isRight && credentials
        ? await this.sessions.start({ id: credentials.id, passwordHash: credentials.password_hash }, origin)
        : undefined;
    if (!credentials || !pair) {
      await this.audit.record({ event: 'login-failed', userId: credentials?.id }, origin);
      throw new AppError('invalid-credentials');
    }
    await this.audit.record({ event: 'login-succeeded', userId: credentials.id }, origin);
    await this.#renewHash(credentials, password);
    return pair;
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
