import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { isAdmin, type RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { type Actor, AuditTrail } from '#libs/security/audit';
import { changeableId, findKeys, UsersRepository } from '#libs/users';

import { LoginAttemptsRepository } from './login-attempts.repository.js';

/** Lets a user sign in again at once whom guesses of others, or their own, have slowed. */
@Injectable()
export class LoginDelaysService {
  constructor(
    private readonly users: UsersRepository,
    private readonly attempts: LoginAttemptsRepository,
    private readonly trail: AuditTrail,
    private readonly em: SqlEntityManager,
  ) {}

  /**
   * Forgets the failed logins of a user, so that nothing delays the next one.
   * @throws AppError `forbidden`, `user-not-found`
   */
  async lift(id: string, source: RequestSource): Promise<void> {
    if (!isAdmin(source.caller)) throw new AppError('forbidden');
    const user = await this.users.findById(changeableId(id, source.caller));
    if (!user) throw new AppError('user-not-found');
    await this.#lift(user.id, source);
  }

  /** As `lift`, for the operator. @param login user name or e-mail address */
  async liftByName(login: string): Promise<void> {
    const keys = findKeys(login);
    const user = keys && (await this.users.findCredentials(keys));
    if (!user) throw new AppError('user-not-found');
    await this.#lift(user.id, 'operator');
  }

  #lift(userId: string, by: Actor): Promise<void> {
    return this.em.fork().transactional(async (em) => {
      await this.attempts.forgetFailures(em, userId);
      await this.trail.record({ event: 'login-delay-lifted', userId }, by, em);
    });
  }
}
