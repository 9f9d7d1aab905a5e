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
    if (isPglite(native)) return new Sql({ query: ({ text, values }) => native.query(text, values) });
    if (isPool(native)) return new Sql(native);
    throw new Error('This driver has no client of its own');
  }

  /** The statement names the columns, so its author names the type of a row. Times come as text. */
  async rows<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const { rows } = await this.client.query({ ...statement, values: [...values] });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the edge where the statement's author vouches
    return rows as Row[];
  }

  /** The first row, if there is one. */
  async row<Row>(statement: Statement, values: readonly unknown[]): Promise<Row | undefined> {
    const [first] = await this.rows<Row>(statement, values);
    return first;
  }
}

type Pglite = { query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>; readonly dataDir?: string };
const isPool = (client: unknown): client is Client =>
  typeof client === 'object' && client !== null && 'query' in client;
const isPglite = (client: unknown): client is Pglite =>
  typeof client === 'object' && client !== null && 'waitReady' in client;
