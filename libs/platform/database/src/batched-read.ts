import type { Sql, Statement } from './sql.js';

type Asked<Row> = {
  readonly key: readonly (string | null)[];
  readonly resolve: (row: Row | undefined) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * A look-up by key that requests share: what is asked within one turn of the event loop goes to the database as one
 * statement. A busy server pays the driver, the socket and the way to PostgreSQL once for many requests; an idle one
 * waits no longer than before. Outside of any transaction.
 */
export class BatchedRead<Row extends { readonly asked: number }> {
  #waiting: Asked<Row>[] = [];

  /**
   * @param statement its `$1`, `$2`, … are arrays, one for each part of the key; column `asked` of a row (1, 2, …) says
   *   which of the keys it answers, each at most once
   * @param limit of keys in one statement
   */
  constructor(
    private readonly sql: Sql,
    private readonly statement: Statement,
    private readonly limit: number,
  ) {}

  /** @param key each part of a form that the database takes: one that it refuses fails the others of its turn */
  row(...key: readonly (string | null)[]): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      const count = this.#waiting.push({ key, resolve, reject });
      if (count === 1) setImmediate(() => this.#send());
      if (count === this.limit) this.#send();
    });
  }

  #send(): void {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    void this.#answer(batch);
  }

  async #answer(batch: readonly Asked<Row>[]): Promise<void> {
    try {
      const parts = batch[0]?.key.map((_, part) => batch.map(({ key }) => key[part])) ?? [];
      const rows: (Row | undefined)[] = [];
      for (const row of await this.sql.rows<Row>(this.statement, parts)) rows[row.asked - 1] = row;
      for (const [at, { resolve }] of batch.entries()) resolve(rows[at]);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
