import type { Sql, Statement } from '#libs/platform/database';

/**
 * Which rows stand for links: a table with `id`, `token_hash`, `expires_at`, and `reads_left`, which is null where there
 * is no limit. The texts are SQL of the author's, never of a caller's.
 */
export type LinkTable = {
  readonly table: string;
  /** Columns that a claim gives back as they were before it. */
  readonly returns: readonly string[];
  /** Columns that the last claim sets to null. */
  readonly wipes: readonly string[];
  /** What else must hold of the row; its values are `$2` and on. */
  readonly condition: string;
  /** What else a claim writes into the row. */
  readonly sets: string;
  /** An INSERT that commits with the claim; it may select from `claimed`. */
  readonly alongside: string;
};

/** Uses a link up, a read at a time: of any number of claims at once, on any replica, only as many succeed as are left. */
export class LinkClaim<Row> {
  readonly #statement: Statement;

  constructor(
    private readonly sql: Sql,
    link: LinkTable,
  ) {
    this.#statement = { name: `claim-${link.table}`, text: claimText(link) };
  }

  /** The row before the claim, or nothing: whatever is wrong with the link, it looks the same and costs the same. */
  take(tokenHash: Buffer, values: readonly unknown[]): Promise<Row | undefined> {
    return this.sql.row<Row>(this.#statement, [tokenHash, ...values]);
  }
}

/** A claim that waits for another one sees the row as that one left it, and counts from there. */
function claimText({ table, returns, wipes, condition, sets, alongside }: LinkTable): string {
  const wiped = wipes.map((column) => `${column} = case when link.reads_left = 1 then null else link.${column} end`);
  return `with held as (
      select id, ${returns.join(', ')} from ${table}
      where token_hash = $1 and expires_at > now() and (reads_left is null or reads_left > 0) and (${condition})
      for update
    ), claimed as (
      update ${table} link set ${[`reads_left = link.reads_left - 1`, sets, ...wiped].join(', ')}
      from held where link.id = held.id returning held.*, link.reads_left as reads_left
    ), alongside as (${alongside})
    select * from claimed`;
}
