import type { Orm } from './open-database.js';

/** Parameters are `$1`, `$2`, …; a `name` has PostgreSQL keep the plan, for look-ups by key only. */
export type Statement = { readonly name?: string; readonly text: string };

type Client = {
  query(statement: { name?: string; text: string; values: unknown[] }): Promise<{ rows: unknown[] }>;
};

/**
 * Hot reads as plain SQL on the driver itself: 75 µs of CPU a look-up against 107 through MikroORM's `execute` and
 * 450 through its entities (design §4). Outside of any transaction; writes go through the entity manager.
 */
export class Sql {
  private constructor(private readonly client: Client) {}

  static async of(orm: Orm): Promise<Sql> {
    const native: unknown = await orm.em.getConnection().getNativeClient();
    return new Sql(isPglite(native) ? { query: ({ text, values }) => native.query(text, values) } : (native as Client));
  }

  /** The statement names the columns, so its author names the type of a row. Times come as text. */
  async rows<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const { rows } = await this.client.query({ ...statement, values: [...values] });
    return rows as Row[];
  }

  /** The first row, if there is one. */
  async row<Row>(statement: Statement, values: readonly unknown[]): Promise<Row | undefined> {
    const [first] = await this.rows<Row>(statement, values);
    return first;
  }
}

type Pglite = { query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>; readonly dataDir?: string };
const isPglite = (client: unknown): client is Pglite =>
  typeof client === 'object' && client !== null && 'waitReady' in client;
