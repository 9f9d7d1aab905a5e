import type { SqlEntityManager } from '@mikro-orm/sql';

/** Users that a role was taken from. `last` is the id after which the next batch begins. */
export type TakenBatch = { readonly count: number; readonly last: string | null };

/** Where a walk over the users begins. */
export const beforeFirstUser = '00000000-0000-0000-0000-000000000000';

/** Who holds which role. The users lib implements it, so that roles do not depend on users. */
export abstract class RoleHolders {
  /** Whether any user holds the role. */
  abstract isHeld(em: SqlEntityManager, name: string): Promise<boolean>;

  /** Whether any user holds just the roles of one of these sets. */
  abstract isAnySetHeld(em: SqlEntityManager, sets: readonly (readonly string[])[]): Promise<boolean>;

  /**
   * Takes a role from users, in the order of their ids. Users that somebody else is changing are
   * left out. Who has no other role is left with `user`.
   */
  abstract take(
    em: SqlEntityManager,
    name: string,
    batch: { readonly after: string; readonly limit: number },
  ): Promise<TakenBatch>;
}
