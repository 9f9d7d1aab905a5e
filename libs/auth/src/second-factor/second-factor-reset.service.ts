import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { isAdmin, type RequestSource } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import type { Actor } from '#libs/security/audit';
import { changeableId, findKeys, noSuchUser, UsersRepository } from '#libs/users';

import { SecondFactorNotices } from './second-factor-notices.service.js';
import { SecondFactorsRepository } from './second-factors.repository.js';

/**
 * Takes the second factor from users who have lost it. Nothing else changes: sessions go on, and
 * failed logins delay the next one as before.
 */
@Injectable()
export class SecondFactorResetService {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly factors: SecondFactorsRepository,
    private readonly notices: SecondFactorNotices,
    private readonly users: UsersRepository,
  ) {}

  /** @throws AppError `forbidden`, `user-not-found`, `second-factor-not-found` */
  async reset(id: string, source: RequestSource): Promise<void> {
    if (!isAdmin(source.caller)) throw new AppError('forbidden');
    const userId = changeableId(id, source.caller);
    if (!(await this.users.findById(userId))) throw noSuchUser(userId, source.caller);
    await this.#remove(userId, source);
  }

  /**
   * As `reset`, for the operator.
   * @param login user name or e-mail address
   * @throws AppError `user-not-found`, `second-factor-not-found`
   */
  async resetByName(login: string): Promise<void> {
    const keys = findKeys(login);
    const user = keys && (await this.users.findCredentials(keys));
    if (!user) throw new AppError('user-not-found');
    await this.#remove(user.id, 'operator');
  }

  #remove(userId: string, by: Actor): Promise<void> {
    return this.users.turns.take(userId, () =>
      this.em.fork().transactional(async (em) => {
        if (!(await this.factors.remove(em, userId))) throw new AppError('second-factor-not-found');
        await this.notices.add(em, { event: 'second-factor-reset', userId }, by);
      }),
    );
  }
}
