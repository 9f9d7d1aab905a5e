import type { Sql, Statement } from '#libs/platform/database';

/**
 * A table whose rows stand for links, with the columns `id`, `token_hash`, `expires_at` and
 * `reads_left` (null: not limited). All texts are SQL of the author's, never of a caller's.
 */
export type LinkTable = {
  readonly table: string;
  /** Columns that a read gives as they were before it. */
  readonly returns: readonly string[];
  /** Columns that the last read sets to null. */
  readonly wipes: readonly string[];
  /** What else must hold of the row; its values are `$2` and on. */
  readonly condition: string;
  /** What else a read writes into the row. */
  readonly sets: string;
  /** An INSERT that commits with the read; it may select from `consumed`. */
  readonly inSameTransaction: string;
};

/** Uses up a link read by read: of all reads at once, only as many succeed as are left. */
export class ReadConsumption<Row> {
  readonly #statement: Statement;

  constructor(
    private readonly sql: Sql,
    link: LinkTable,
  ) {
    this.#statement = { name: `consume-${link.table}`, text: consumptionText(link) };
  }

  /** The row before the read, or nothing: all faults of a link look and cost the same. */
  consume(tokenHash: Buffer, values: readonly unknown[]): Promise<Row | undefined> {
    return this.sql.row<Row>(this.#statement, [tokenHash, ...values]);
  }
}

/** A read that waits for another one sees the row as that one left it, and counts from there. */
function consumptionText({ table, returns, wipes, condition, sets, inSameTransaction }: LinkTable): string {
  const wiped = wipes.map((column) => `${column} = case when link.reads_left = 1 then null else link.${column} end`);
  return `with locked as (
      select id, ${returns.join(', ')} from ${table}
      where token_hash = $1 and expires_at > now() and (reads_left is null or reads_left > 0) and (${condition})
      for update
    ), consumed as (
      update ${table} link set ${[`reads_left = link.reads_left - 1`, sets, ...wiped].join(', ')}
      from locked where link.id = locked.id returning locked.*, link.reads_left as reads_left
    ), in_same_transaction as (${inSameTransaction})
    select * from consumed`;
}
