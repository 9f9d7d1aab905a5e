import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { AppError } from '#libs/platform/errors';

import { RolesRepository } from './roles.repository.js';
import { fitsToken, unionOf } from './token-size.js';

/** Which roles users may be given. */
@Injectable()
export class RoleGrants {
  constructor(private readonly roles: RolesRepository) {}

  /**
   * Checks the roles that a user shall have. Call it within the transaction that writes them, after
   * it has locked users: no role changes until it ends. Roles that the user holds already are no
   * obstacle, whatever has become of them.
   * @throws AppError `unknown-role`, `permissions-too-large`
   */
  async assertGrantable(em: SqlEntityManager, roles: readonly string[], held: readonly string[] = []): Promise<void> {
    const added = roles.filter((name) => !held.includes(name));
    if (added.length === 0) return;
    await this.roles.lockUnchanged(em);
    const permissionsOf = await this.roles.permissionsOf(em, roles);
    const errors = added
      .filter((name) => !permissionsOf.has(name))
      .map((name) => ({ path: 'roles', message: `there is no role ${name}`, code: 'unknown-role' }));
    if (errors.length > 0) throw new AppError('unknown-role', { errors });
    if (!fitsToken(unionOf(roles, permissionsOf))) throw new AppError('permissions-too-large');
  }
}
