import type { Sql, Statement } from './sql.js';

const pageRows = 500;

/**
 * All rows of one owner, a page at a time, however many there are and however slowly they are
 * taken.
 * @param statement of rows with an `id`, in its order: `$1` the owner, `$2` the id of the last row
 * before or null, `$3` how many
 */
export async function* byPages<Row extends { readonly id: string }>(
  sql: Sql,
  statement: Statement,
  owner: string,
): AsyncGenerator<Row> {
  let rows: Row[] = [];
  do {
    rows = await sql.rows<Row>(statement, [owner, rows.at(-1)?.id ?? null, pageRows]);
    yield* rows;
  } while (rows.length === pageRows);
}
