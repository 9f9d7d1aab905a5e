import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { AuditTrail } from '#libs/security/audit';
import { isAdmin, type RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { changeableId, findKeys, UsersRepository } from '#libs/users';

import { LoginDelaysRepository } from './login-delays.repository.js';

/** Lets somebody sign in again at once whom guesses of others, or their own, have slowed. */
@Injectable()
export class LoginDelayLift {
  constructor(
    private readonly users: UsersRepository,
    private readonly delays: LoginDelaysRepository,
    private readonly audit: AuditTrail,
    private readonly em: SqlEntityManager,
  ) {}

  /** Also when there is no delay. @throws AppError `forbidden`, `user-not-found` */
  async lift(id: string, source: RequestSource): Promise<void> {
    if (!isAdmin(source.caller)) throw new AppError('forbidden');
    const user = await this.users.findById(changeableId(id, source.caller));
    if (!user) throw new AppError('user-not-found');
    await this.#lift(user.id, source);
  }

  /** For the operator. @param login user name or e-mail address @throws AppError `user-not-found` */
  async liftByName(login: string): Promise<void> {
    const keys = findKeys(login);
    const user = keys && (await this.users.findCredentials(keys));
    if (!user) throw new AppError('user-not-found');
    await this.#lift(user.id, 'operator');
  }

  #lift(userId: string, by: RequestSource | 'operator'): Promise<void> {
    return this.em.fork().transactional(async (em) => {
      await this.delays.lift(em, userId);
      await this.audit.record({ event: 'login-delay-lifted', userId }, by, em);
    });
  }
}
