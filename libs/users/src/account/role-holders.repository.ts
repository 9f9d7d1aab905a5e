import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { RoleHolders, type TakenBatch } from '#libs/roles';

/** `users_roles_index` is partial: a statement finds it only when it says so itself. */
const isIndexed = "roles <> '{user}'";

const heldRole = `select exists (select from users where ${isIndexed} and roles @> array[?]::text[]) as held`;
/** Takes the sets as JSON. */
const heldSet = `select exists (
    select from jsonb_array_elements(?::jsonb) as asked
      cross join lateral (select array(select jsonb_array_elements_text(asked)) as names) as wanted
      where exists (select from users where ${isIndexed} and roles @> names and roles <@ names)
  ) as held`;
/** The version rises: who knows the user by an older ETag has not seen it without the role. */
const takeRole = `with chosen as (
    select id from users where ${isIndexed} and roles @> array[?]::text[] and id > ?
    order by id limit ? for update skip locked
  ), taken as (
    update users set version = version + 1, updated_at = now(),
      roles = coalesce(nullif(array_remove(roles, ?), '{}'), '{user}')
    from chosen where users.id = chosen.id returning users.id
  ) select count(*)::int as count, max(id::text collate "C") as last from taken`;

/** Which users hold which roles, for those who look after roles. */
@Injectable()
export class RoleHoldersRepository extends RoleHolders {
  async isHeld(em: SqlEntityManager, name: string): Promise<boolean> {
    const [row] = await em.execute<{ held: boolean }[]>(heldRole, [name]);
    return row?.held === true;
  }

  async isAnySetHeld(em: SqlEntityManager, sets: readonly (readonly string[])[]): Promise<boolean> {
    const [row] = await em.execute<{ held: boolean }[]>(heldSet, [JSON.stringify(sets)]);
    return row?.held === true;
  }

  async take(
    em: SqlEntityManager,
    name: string,
    { after, limit }: { readonly after: string; readonly limit: number },
  ): Promise<TakenBatch> {
    const [row] = await em.execute<TakenBatch[]>(takeRole, [name, after, limit, name]);
    return row ?? { count: 0, last: null };
  }
}
