import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { Sql, type Statement } from '#libs/platform/database';

import { type Role, RoleEntity } from './role.entity.js';

/**
 * All roles with their permissions, and the generation that they are of. `removed` are those that
 * users hold still and that do not count any more.
 */
export type RoleSnapshot = {
  readonly generation: number;
  readonly roles: readonly NamedPermissions[];
  readonly removed: readonly string[];
};
type NamedPermissions = { readonly name: string; readonly permissions: readonly string[] };

const asJson = "jsonb_build_object('name', name, 'permissions', permissions)";

/** One statement, so that permissions and generation belong together. */
const snapshot: Statement = {
  text: `select value as generation,
      (select coalesce(jsonb_agg(${asJson}), '[]') from roles where removed_at is null) as roles,
      (select coalesce(jsonb_agg(name), '[]') from roles where removed_at is not null) as removed
    from role_generation`,
};
const removedNames: Statement = { text: 'select name from roles where removed_at is not null order by name' };

/**
 * The rows of roles. Whoever changes a role locks the generation first, then the role; whoever
 * gives roles locks users first, then the generation. So nobody waits for one that waits for them.
 */
@Injectable()
export class RolesRepository {
  constructor(
    private readonly sql: Sql,
    private readonly em: SqlEntityManager,
  ) {}

  async readSnapshot(): Promise<RoleSnapshot> {
    return (await this.sql.row<RoleSnapshot>(snapshot, [])) ?? { generation: 0, roles: [], removed: [] };
  }

  /** In no order; without those that were removed. */
  list(em = this.em.fork()): Promise<Role[]> {
    return em.find(RoleEntity, { removedAt: null });
  }

  /** Also one that was removed and that users hold still. */
  async find(name: string, em = this.em.fork()): Promise<Role | undefined> {
    return (await em.findOne(RoleEntity, { name })) ?? undefined;
  }

  /** Names of roles that users hold still, although they were removed. */
  async listRemoved(): Promise<string[]> {
    return (await this.sql.rows<{ name: string }>(removedNames, [])).map(({ name }) => name);
  }

  /** Locks until the transaction ends, so that changes of roles go one after the other. */
  async lockForChange(em: SqlEntityManager): Promise<void> {
    await em.execute('select from role_generation for update');
  }

  /**
   * Makes the tokens of every role outdated that the transaction revokes with the generation that
   * is returned.
   */
  async raiseGeneration(em: SqlEntityManager): Promise<number> {
    const [row] = await em.execute<{ value: number }[]>('update role_generation set value = value + 1 returning value');
    if (!row) throw new Error('The table role_generation has lost its row');
    return row.value;
  }

  /**
   * Keeps every role as it is until the transaction ends. Whoever gives roles to a user calls it
   * before checking what they add up to.
   */
  async lockUnchanged(em: SqlEntityManager): Promise<void> {
    await em.execute('select from role_generation for share');
  }

  /** What each of the roles permits, as far as there is one. */
  async permissionsOf(em: SqlEntityManager, names: readonly string[]): Promise<Map<string, readonly string[]>> {
    const rows = await em.execute<NamedPermissions[]>(
      `select name, to_jsonb(permissions) as permissions from roles
        where removed_at is null and name in (select jsonb_array_elements_text(?::jsonb))`,
      [JSON.stringify(names)],
    );
    return new Map(rows.map(({ name, permissions }) => [name, permissions]));
  }

  /** Every set of roles with this one that somebody holds, or held once. */
  async findSetsWith(em: SqlEntityManager, name: string): Promise<readonly (readonly string[])[]> {
    const rows = await em.execute<{ roles: string[] }[]>(
      'select to_jsonb(roles) as roles from role_sets where roles @> array[?]::text[]',
      [name],
    );
    return rows.map(({ roles }) => roles);
  }

  /** Makes the name free again. @returns whether it was that of a removed role */
  async deleteRemoved(em: SqlEntityManager, name: string): Promise<boolean> {
    return (await em.nativeDelete(RoleEntity, { name, removedAt: { $ne: null } })) > 0;
  }
}
