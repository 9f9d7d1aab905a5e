import { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import { PasswordHasher } from '#libs/passwords';
import { type Config, CONFIG } from '#libs/platform/config';
import { randomToken } from '#libs/platform/crypto';

import { UserEntity } from './user.entity.js';
import { toUserName } from './user-keys.js';
import { UsersRepository } from './users.repository.js';

/** `password` only if it was made here: it is shown once and kept nowhere. */
export type MadeAdmin = { readonly userName: string; readonly password: string | undefined };

const firstAdminLock = 0x61646d6e;

/** Makes the first administrator when there are no users at all. */
@Injectable()
export class FirstAdmin {
  constructor(
    private readonly users: UsersRepository,
    private readonly hasher: PasswordHasher,
    private readonly em: SqlEntityManager,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Nothing if there are users; replicas that start at once make one administrator between them. */
  async ensure(): Promise<MadeAdmin | undefined> {
    if (!(await this.users.isEmpty())) return undefined;
    const { userName, key: userNameKey } = toUserName(this.config.ADMIN_USER_NAME);
    const password = this.config.ADMIN_PASSWORD ?? randomToken().slice(0, 24);
    const passwordHash = await this.hasher.hash(password);
    return this.em.fork().transactional(async (em) => {
      await em.execute('select pg_advisory_xact_lock(?)', [firstAdminLock]);
      if ((await em.count(UserEntity)) > 0) return undefined;
      em.create(UserEntity, {
        userName,
        userNameKey,
        firstName: 'First',
        lastName: 'Administrator',
        roles: ['user', 'admin'],
        passwordHash,
      });
      return { userName, password: this.config.ADMIN_PASSWORD === undefined ? password : undefined };
    });
  }
}
