import { Inject, Injectable } from '@nestjs/common';

import { type Config, CONFIG, ConfigError } from '#libs/platform/config';
import { randomToken } from '#libs/platform/crypto';
import { AppError } from '#libs/platform/errors';
import { AuditTrail } from '#libs/security/audit';
import { NewPassword } from '#libs/security/passwords';

import type { PreparedUserName } from '../user-names/prepare-user-name.js';
import { dropFirstAdminPassword, keepFirstAdminPassword } from './first-admin-password.js';
import { toUserName } from './user-keys.js';
import { UsersRepository } from './users.repository.js';

/** `password` only when it was generated here. */
export type MadeAdmin = { readonly userName: string; readonly password: string | undefined };

const profile = {
  firstName: 'First',
  lastName: 'Administrator',
  email: null,
  roles: ['user' as const, 'admin' as const],
};

/** Makes the first administrator when there are no users at all. */
@Injectable()
export class FirstAdminService {
  constructor(
    private readonly users: UsersRepository,
    private readonly newPassword: NewPassword,
    private readonly audit: AuditTrail,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Undefined when there are users; replicas that start at once make one administrator between
   * them. A generated password is in `DATA_DIR/first-admin-password` before its administrator
   * exists: whatever fails later in the start, or kills it, the password can still be read.
   * @throws ConfigError when the password cannot be kept, or ADMIN_PASSWORD or ADMIN_USER_NAME is
   * refused
   */
  async ensure(): Promise<MadeAdmin | undefined> {
    if (!(await this.users.isEmpty())) return undefined;
    const { ADMIN_PASSWORD, DATA_DIR } = this.config;
    const { userName, key: userNameKey } = this.#userName();
    const password = ADMIN_PASSWORD === undefined ? randomToken().slice(0, 24) : undefined;
    const passwordHash = await this.#hash(password ?? ADMIN_PASSWORD ?? '', userName);
    let isKept = false;
    try {
      const made = await this.users.insertFirst(
        { ...profile, userName, userNameKey, emailKey: null, passwordHash },
        async (em, user) => {
          if (password !== undefined) keepFirstAdminPassword(DATA_DIR, password);
          isKept = password !== undefined;
          const details = { roles: profile.roles.join(' ') };
          await this.audit.record({ event: 'user-created', userId: user.id, details }, 'operator', em);
        },
      );
      return made && { userName, password };
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

  async #hash(password: string, userName: string): Promise<string> {
    try {
      return await this.newPassword.take(password, { ...profile, userName });
    } catch (error) {
      throw asConfigError('ADMIN_PASSWORD', error);
    }
  }
}

/** Says what is wrong with a variable's value in the words that a caller of the API would get. */
function asConfigError(variable: string, error: unknown): unknown {
  if (!(error instanceof AppError) || !error.options.errors) return error;
  return new ConfigError(error.options.errors.map(({ message }) => `${variable} ${message}`));
}
