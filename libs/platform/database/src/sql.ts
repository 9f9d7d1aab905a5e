import type { Orm } from './open-database.js';
import { retryConflicts } from './retry-conflicts.js';

/**
 * Parameters are `$1`, `$2`, …; a `name` has PostgreSQL keep the plan, for look-ups by key only.
 * `query_timeout` in milliseconds, where the shared one is too long (PostgreSQL only).
 */
export type Statement = { readonly name?: string; readonly text: string; readonly query_timeout?: number };

/**
 * Ways to a result that the planner is to leave alone, where its guesses are known to mislead it.
 */
export type DisabledPlan = 'seqscan' | 'bitmapscan' | 'sort';

type Query = Statement & { values: unknown[]; rowMode?: 'array' };
type Fits = (row: unknown) => boolean;
type Rows = Promise<{ rows: unknown[] }>;
type Client = {
  query(statement: Query): Rows;
  withPlannerSettings(statement: Query, disabledPlans: readonly DisabledPlan[]): Rows;
  /**
   * Asks connection after connection, up to a new one, and closes those with a row that will not
   * do.
   */
  until(fits: Fits, statement: Query): Promise<boolean>;
  readonly pool?: Counts;
};
type Counts = { readonly totalCount: number; readonly idleCount: number; readonly waitingCount: number };

/** `waiting`: requests without a connection, not connections. All 0 with the embedded database. */
export type PoolState = { readonly used: number; readonly idle: number; readonly waiting: number };

/**
 * Hot reads as plain SQL on the driver itself: 75 µs of CPU a look-up against 107 through
 * MikroORM's `execute` and 450 through its entities (design §4). Outside of any transaction; writes
 * go through the entity manager.
 */
export class Sql {
  private constructor(private readonly client: Client) {}

  /**
   * @param isPooled whether a pooler in transaction mode gives each statement another session: none
   * is kept by name
   */
  static async of(orm: Orm, isPooled: boolean): Promise<Sql> {
    const native: unknown = await orm.em.getConnection().getNativeClient();
    if (isPglite(native)) {
      const query = ({ text, values, rowMode }: Query): Rows => native.query(text, values, rowMode && { rowMode });
      // its one connection may be in a transaction of somebody else, which a commit of ours would
      // end
      const until = async (fits: Fits, asked: Query): Promise<boolean> => (await query(asked)).rows.every(fits);
      return new Sql({ query, withPlannerSettings: query, until });
    }
    if (isPool(native)) {
      const query = isPooled
        ? (statement: Query): Rows => native.query({ ...statement, name: '' })
        : (statement: Query): Rows => native.query(statement);
      return new Sql({
        query,
        withPlannerSettings: (...asked) => withPlannerSettings(native, ...asked),
        until: (...asked) => letGoUntil(native, ...asked),
        pool: native,
      });
    }
    throw new Error('This driver has no client of its own');
  }

  get pool(): PoolState {
    const { totalCount, idleCount, waitingCount } = this.client.pool ?? {
      totalCount: 0,
      idleCount: 0,
      waitingCount: 0,
    };
    return { used: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  /** The statement names the columns, so its author names the type of a row. Times come as text. */
  async rows<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const query = { ...statement, values: [...values] };
    // a statement outside of any transaction is one by itself
    const { rows } = await retryConflicts(() => this.client.query(query));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its author vouches
    return rows as Row[];
  }

  /**
   * As `rows`, each an array of its columns in their order: half of what the driver takes to make
   * objects of them.
   * @param disabledPlans ways that the plan leaves alone, for two more round trips; the embedded
   * database plans as it likes
   */
  async tuples<Tuple extends readonly unknown[]>(
    statement: Statement,
    values: readonly unknown[],
    disabledPlans: readonly DisabledPlan[] = [],
  ): Promise<Tuple[]> {
    const query: Query = { ...statement, values: [...values], rowMode: 'array' };
    const { rows } = await (disabledPlans.length === 0
      ? this.client.query(query)
      : this.client.withPlannerSettings(query, disabledPlans));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return rows as Tuple[];
  }

  /**
   * Whether sessions are as they have to be. Those of the pool that are not any more (the server
   * became a standby, its defaults changed) are closed; false when a new one is not either.
   */
  hasFitSession(statement: Statement, column: string): Promise<boolean> {
    const fits = (row: unknown): boolean =>
      typeof row === 'object' && row !== null && Reflect.get(row, column) === true;
    return this.client.until(fits, { ...statement, values: [] });
  }

  /** The first row, if there is one. */
  async row<Row>(statement: Statement, values: readonly unknown[]): Promise<Row | undefined> {
    const [first] = await this.rows<Row>(statement, values);
    return first;
  }
}

/**
 * The settings end with the transaction, so that a connection that goes back to the pool is as it
 * was.
 */
async function withPlannerSettings(pool: Pool, statement: Query, disabledPlans: readonly DisabledPlan[]): Rows {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query(['begin read only', ...disabledPlans.map((way) => `set local enable_${way} = off`)].join(';'));
    const found = await client.query(statement);
    await client.query('commit');
    return found;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(failure);
  }
}

async function letGoUntil(pool: Pool, fits: Fits, statement: Query): Promise<boolean> {
  for (let old = pool.idleCount; old >= 0; old--) {
    const client = await pool.connect();
    let isFit = false;
    try {
      isFit = (await client.query(statement)).rows.every(fits);
    } finally {
      client.release(isFit ? undefined : new Error('The session is not fit'));
    }
    if (isFit) return true;
  }
  return false;
}

type Pool = Counts & {
  query(statement: Query): Rows;
  connect(): Promise<{ query(statement: Query | string): Rows; release(error?: Error): void }>;
};
type Pglite = {
  query(text: string, values: unknown[], options?: { rowMode: 'array' }): Promise<{ rows: unknown[] }>;
  readonly dataDir?: string;
};
const isPool = (client: unknown): client is Pool =>
  typeof client === 'object' && client !== null && 'query' in client && 'connect' in client;
const isPglite = (client: unknown): client is Pglite =>
  typeof client === 'object' && client !== null && 'waitReady' in client;

/** A column of times in Unix milliseconds, as rows of hot reads have it. */
export const epochMs = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

/** A column of times as RFC 3339 in UTC, with milliseconds. */
export const rfc3339Sql = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
