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
    const fault = faultOf(roles, added, permissionsOf);
    if (fault) throw fault;
  }

  /**
   * Those of the roles that there are, for somebody who was promised them earlier. Call it as
   * `assertGrantable`.
   * @throws AppError `permissions-too-large`
   */
  async stillGrantable(em: SqlEntityManager, roles: readonly string[]): Promise<readonly string[]> {
    await this.roles.lockUnchanged(em);
    const permissionsOf = await this.roles.permissionsOf(em, roles);
    const left = roles.filter((name) => permissionsOf.has(name));
    const fault = faultOf(left, left, permissionsOf);
    if (fault) throw fault;
    return left;
  }

  /**
   * What is wrong with each of several sets of roles, in their order, as they are committed now.
   * Call it again after `hold` when users have been given them.
   */
  async findFaults(
    em: SqlEntityManager,
    sets: readonly (readonly string[])[],
  ): Promise<readonly (AppError | undefined)[]> {
    const permissionsOf = await this.roles.permissionsOf(em, [...new Set(sets.flat())]);
    return sets.map((roles) => faultOf(roles, roles, permissionsOf));
  }

  /** No role changes until the transaction ends. Lock users before. */
  async hold(em: SqlEntityManager): Promise<void> {
    await this.roles.lockUnchanged(em);
  }
}

/** @param added those of the roles that must exist */
function faultOf(
  roles: readonly string[],
  added: readonly string[],
  permissionsOf: ReadonlyMap<string, readonly string[]>,
): AppError | undefined {
  const errors = added
    .filter((name) => !permissionsOf.has(name))
    .map((name) => ({ path: 'roles', message: `there is no role ${name}`, code: 'unknown-role' }));
  if (errors.length > 0) return new AppError('unknown-role', { errors });
  return fitsToken(unionOf(roles, permissionsOf)) ? undefined : new AppError('permissions-too-large');
}
