import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import { type Config, CONFIG, ConfigError } from '#libs/platform/config';
import { randomToken } from '#libs/platform/crypto';
import { AppError } from '#libs/platform/errors';
import { AuditTrail } from '#libs/security/audit';
import { Passwords } from '#libs/security/passwords';

import { dropFirstAdminPassword, keepFirstAdminPassword } from './first-admin-password.js';
import type { User } from './user.entity.js';
import { rethrowTaken, toUserName } from './user-keys.js';
import { UsersRepository } from './users.repository.js';

/** `password` only when it was generated here. */
export type MadeAdmin = { readonly userName: string; readonly password: string | undefined };

const profile = { lastName: 'Administrator', email: null, emailKey: null, roles: ['user' as const, 'admin' as const] };
const first = { ...profile, firstName: 'First' };
const added = { ...profile, firstName: 'Added' };

/** Makes administrators for the operator: the first one at the start, others on command. */
@Injectable()
export class AdminsService {
  constructor(
    private readonly users: UsersRepository,
    private readonly passwords: Passwords,
    private readonly audit: AuditTrail,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Undefined when there are users; replicas that start at once make one administrator between
   * them. A generated password is in `DATA_DIR/first-admin-password` before its administrator
   * exists: whatever fails later in the start, or kills it, the password can still be read.
   * @throws ConfigError when the password cannot be kept, or a variable ADMIN_… is refused
   */
  async ensureFirst(): Promise<MadeAdmin | undefined> {
    if (!(await this.users.isEmpty())) return undefined;
    const { ADMIN_USER_NAME, ADMIN_PASSWORD, DATA_DIR } = this.config;
    const { userName, key: userNameKey } = await checked('ADMIN_USER_NAME', () => toUserName(ADMIN_USER_NAME));
    const password = ADMIN_PASSWORD === undefined ? newPassword() : undefined;
    const passwordHash = await checked('ADMIN_PASSWORD', () =>
      this.passwords.validateAndHash(password ?? ADMIN_PASSWORD ?? '', { ...first, userName }),
    );
    let isKept = false;
    try {
      const made = await this.users.insertFirst({ ...first, userName, userNameKey, passwordHash }, async (em, user) => {
        if (password !== undefined) keepFirstAdminPassword(DATA_DIR, password);
        isKept = password !== undefined;
        await this.#record(em, user);
      });
      return made && { userName, password };
    } catch (error) {
      if (isKept) dropFirstAdminPassword(DATA_DIR);
      throw error;
    }
  }

  /**
   * With a generated password, for where users were imported before the first start.
   * @throws AppError `invalid-request`, `user-name-taken`
   */
  async create(name: string): Promise<{ userName: string; password: string }> {
    const { userName, key: userNameKey } = toUserName(name);
    const password = newPassword();
    const passwordHash = await this.passwords.hash(password);
    const fields = { ...added, userName, userNameKey, passwordHash };
    await this.users.insert(fields, (em, user) => this.#record(em, user)).catch(rethrowTaken);
    return { userName, password };
  }

  #record(em: SqlEntityManager, { id: userId, roles }: User): Promise<void> {
    return this.audit.record({ event: 'user-created', userId, details: { roles: roles.join(' ') } }, 'operator', em);
  }
}

const newPassword = (): string => randomToken().slice(0, 24);

/** Says what is wrong with a variable in the words that a caller of the API would get. */
async function checked<T>(variable: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || !error.options.errors) throw error;
    throw new ConfigError(error.options.errors.map(({ message }) => `${variable} ${message}`));
  }
}
