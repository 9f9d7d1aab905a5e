import { TurnBatch } from '#libs/platform/queues';

import { type Sql, type Statement } from './sql.js';

/** Many who ask at once share a read that begins after they asked. */
export class SharedRead {
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(private readonly read: () => Promise<void>) {}

  /** Resolves when what was committed by now has been read. @throws what `read` throws */
  run(): Promise<void> {
    if (this.#next) return this.#next;
    if (!this.#running) return this.#start();
    this.#next = this.#running.catch(() => undefined).then(() => this.#start());
    return this.#next;
  }

  #start(): Promise<void> {
    this.#next = undefined;
    this.#running = this.read().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}

type Key = readonly (string | null)[];

/**
 * A look-up by key that the requests of one turn of the event loop share: one statement for all
 * (ADR 14).
 */
export class BatchedRead<Row extends { readonly asked: number }> {
  readonly #batch: TurnBatch<Key, Row | undefined>;

  /**
   * @param statement its `$1`, `$2`, … are arrays, one for each part of the key; column `asked` of
   * a row (1, 2, …) says which of the keys it answers, each at most once
   * @param limit of keys in one statement
   */
  constructor(sql: Sql, statement: Statement, limit: number) {
    this.#batch = new TurnBatch(async (keys) => {
      const parts = keys[0]?.map((_, part) => keys.map((key) => key[part])) ?? [];
      const rows: (Row | undefined)[] = [];
      for (const row of await sql.rows<Row>(statement, parts)) rows[row.asked - 1] = row;
      return rows;
    }, limit);
  }

  /**
   * Outside of any transaction.
   * @param key each part of a form that the database takes: one that it refuses fails the others of
   * its turn
   */
  row(...key: Key): Promise<Row | undefined> {
    return this.#batch.ask(key);
  }
}
