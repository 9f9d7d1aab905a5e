import { SqlEntityManager } from '@mikro-orm/sql';
import { lockInTransaction } from '#libs/platform/database';
import { Inject, Injectable } from '@nestjs/common';

import { AuditTrail } from '#libs/security/audit';
import { NewPassword } from '#libs/security/passwords';
import { type Config, CONFIG, ConfigError } from '#libs/platform/config';
import { randomToken } from '#libs/platform/crypto';
import { AppError } from '#libs/platform/errors';

import { dropFirstAdminPassword, keepFirstAdminPassword } from './first-admin-password.js';
import { UserEntity } from './user.entity.js';
import { toUserName } from './user-keys.js';
import type { PreparedUserName } from './user-names/prepare-user-name.js';
import { type PasswordOwner, UsersRepository } from './users.repository.js';

/** `password` only if it was made here. */
export type MadeAdmin = { readonly userName: string; readonly password: string | undefined };

const roles = ['user', 'admin'] as const;

/** Makes the first administrator when there are no users at all. */
@Injectable()
export class FirstAdmin {
  constructor(
    private readonly users: UsersRepository,
    private readonly newPassword: NewPassword,
    private readonly audit: AuditTrail,
    private readonly em: SqlEntityManager,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Nothing if there are users; replicas that start at once make one administrator between them. A password that is made
   * here is in `DATA_DIR/first-admin-password` before its administrator exists: whatever fails later in the start, or
   * kills it, the password can still be read.
   * @throws ConfigError when the password cannot be kept, or ADMIN_PASSWORD or ADMIN_USER_NAME is not taken
   */
  async ensure(): Promise<MadeAdmin | undefined> {
    if (!(await this.users.isEmpty())) return undefined;
    const { ADMIN_PASSWORD, DATA_DIR } = this.config;
    const { userName, key: userNameKey } = this.#userName();
    const names = { userName, firstName: 'First', lastName: 'Administrator' };
    const made = ADMIN_PASSWORD === undefined ? randomToken().slice(0, 24) : undefined;
    const passwordHash = await this.#hash(made ?? ADMIN_PASSWORD ?? '', names);
    let isKept = false;
    try {
      return await this.em.fork().transactional(async (em) => {
        await lockInTransaction(em, 'administrators');
        if ((await em.count(UserEntity)) > 0) return undefined;
        if (made !== undefined) keepFirstAdminPassword(DATA_DIR, made);
        isKept = made !== undefined;
        const user = em.create(UserEntity, { ...names, userNameKey, roles: [...roles], passwordHash });
        await em.flush();
        const details = { roles: roles.join(' ') };
        await this.audit.record({ event: 'user-created', userId: user.id, details }, 'operator', em);
        return { userName, password: made };
      });
    } catch (error) {
      if (isKept) dropFirstAdminPassword(DATA_DIR);
      throw error;
    }
  }

  #userName(): PreparedUserName {
    try {
      return toUserName(this.config.ADMIN_USER_NAME);
    } catch (error) {
      throw asConfigError('ADMIN_USER_NAME', error);
    }
  }

  async #hash(
    password: string,
    names: Omit<PasswordOwner, 'id' | 'passwordHash' | 'email' | 'roles'>,
  ): Promise<string> {
    try {
      return await this.newPassword.take(password, { ...names, email: null, roles });
    } catch (error) {
      throw asConfigError('ADMIN_PASSWORD', error);
    }
  }
}

/** What is wrong with a variable's value, in the words that a caller of the API would get. */
function asConfigError(variable: string, error: unknown): unknown {
  if (!(error instanceof AppError) || !error.options.errors) return error;
  return new ConfigError(error.options.errors.map(({ message }) => `${variable} ${message}`));
}
