import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { Sql, type Statement } from '#libs/platform/database';

/** All roles with their permissions, and the generation that they are of. */
export type RoleSnapshot = {
  readonly generation: number;
  readonly roles: readonly { readonly name: string; readonly permissions: readonly string[] }[];
};

/** One statement, so that permissions and generation belong together. */
const snapshot: Statement = {
  text: `select value as generation, (
      select coalesce(jsonb_agg(jsonb_build_object('name', name, 'permissions', permissions)), '[]')
      from roles where removed_at is null
    ) as roles from role_generation`,
};

/** The rows of roles. */
@Injectable()
export class RolesRepository {
  constructor(private readonly sql: Sql) {}

  async readSnapshot(): Promise<RoleSnapshot> {
    return (await this.sql.row<RoleSnapshot>(snapshot, [])) ?? { generation: 0, roles: [] };
  }

  /**
   * Makes the tokens of every role outdated that the transaction revokes with the generation that
   * is returned. Locks until the transaction ends, so that changes of roles go one after the other.
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
}
