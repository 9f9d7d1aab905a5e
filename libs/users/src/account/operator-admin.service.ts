import { Injectable } from '@nestjs/common';

import { AuditTrail } from '#libs/security/audit';
import { PasswordHasher } from '#libs/security/passwords';
import { randomToken } from '#libs/platform/crypto';

import { toUserName } from './user-keys.js';
import { UsersRepository } from './users.repository.js';
import { rethrowTaken } from './users.service.js';

/**
 * Makes administrators on the operator's command, as when users were imported before the first
 * start.
 */
@Injectable()
export class OperatorAdminService {
  constructor(
    private readonly users: UsersRepository,
    private readonly hasher: PasswordHasher,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * With a generated password, which is shown once.
   * @throws AppError `invalid-request`, `user-name-taken`
   */
  async create(name: string): Promise<{ userName: string; password: string }> {
    const { userName, key: userNameKey } = toUserName(name);
    const password = randomToken().slice(0, 24);
    const passwordHash = await this.hasher.hash(password);
    const names = { firstName: 'Added', lastName: 'Administrator', email: null, emailKey: null };
    await this.users
      .insert({ userName, userNameKey, ...names, roles: ['user', 'admin'], passwordHash }, (em, { id: userId }) =>
        this.audit.record({ event: 'user-created', userId, details: { roles: 'user admin' } }, 'operator', em),
      )
      .catch(rethrowTaken);
    return { userName, password };
  }
}
